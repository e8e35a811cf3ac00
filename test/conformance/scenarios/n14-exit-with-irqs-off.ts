// A task exits with interrupts off.
import { localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  yield* o.thread('bad', () => {
    localIrqDisable();
    o.log('exits');
  });
  yield* o.sleep(5);
  o.log('end');
}
