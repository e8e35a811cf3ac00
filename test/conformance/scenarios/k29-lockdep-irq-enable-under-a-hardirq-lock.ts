// Interrupts are enabled while a lock of hard interrupts is held.
import { Spinlock, spinLockIrqsave, spinUnlockIrqrestore } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* o.hard(takerOf(o, LA));
  const flags = yield* spinLockIrqsave(LA);
  yield* o.localIrqEnable();
  o.log('interrupts on inside');
  spinUnlockIrqrestore(LA, flags);
  o.log('end');
}
