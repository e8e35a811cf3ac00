// A lock that is found in a hard interrupt after one inside it was taken with interrupts on.
import { localIrqSave, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { both, takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  const flags = localIrqSave();
  yield* both(o, 'LA, LB', LA, LB);
  yield* o.localIrqRestore(flags);
  o.log('now LB with interrupts on');
  yield* spinLock(LB);
  spinUnlock(LB);
  o.log('now LA in a hard interrupt');
  yield* o.hard(takerOf(o, LA));
  o.log('end');
}
