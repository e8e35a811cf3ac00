// local_bh_enable() in a hard interrupt.
import { localBhDisable, localBhEnable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  yield* o.hard(() => {
    o.log('local_bh_enable in hardirq');
    localBhDisable();
    localBhEnable();
    o.log('after');
  });
}
