// A lock taken in hard interrupts gets another one inside that is taken with interrupts on.
import { Spinlock, spinLock, spinLockIrqsave, spinUnlock, spinUnlockIrqrestore } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  yield* spinLock(LA);
  spinUnlock(LA);
  yield* o.hard(() => {
    spinLock(LB);
    spinUnlock(LB);
  });
  o.log('irqsafe LB, irqunsafe LA; now LB->LA');
  const flags = yield* spinLockIrqsave(LB);
  yield* spinLock(LA);
  o.log('both');
  spinUnlock(LA);
  spinUnlockIrqrestore(LB, flags);
  o.log('end');
}
