// local_bh_enable with interrupts off.
import { localBhDisable, localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  localBhDisable();
  localIrqDisable();
  yield* o.localBhEnable();
  o.log('enabled');
  yield* o.localIrqEnable();
  o.log('end');
}
