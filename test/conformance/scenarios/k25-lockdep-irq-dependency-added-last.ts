// A lock of hard interrupts, another one inside it, and inside that one a third that is taken with interrupts on.
import { localIrqSave, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { both, inHardirq } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  const LC = new Spinlock('LC');
  yield* inHardirq(o, LB);
  yield* spinLock(LA);
  spinUnlock(LA);
  const flags = localIrqSave();
  yield* both(o, 'LB, LC', LB, LC);
  o.log('now LC -> LA');
  yield* both(o, 'LC, LA', LC, LA);
  yield* o.localIrqRestore(flags);
  o.log('end');
}
