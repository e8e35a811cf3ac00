// msleep with interrupts off.
import { localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  localIrqDisable();
  yield* o.sleep(2);
  o.log('slept');
  yield* o.localIrqEnable();
  o.log('end');
}
