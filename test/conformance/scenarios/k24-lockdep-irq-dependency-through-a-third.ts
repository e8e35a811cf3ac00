// A lock of hard interrupts is taken with interrupts on.
import { localIrqSave, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { both, inHardirq } from './_locks.js';

export default function* (o: Oracle) {
  const LB = new Spinlock('LB');
  const LC = new Spinlock('LC');
  yield* inHardirq(o, LB);
  yield* spinLock(LB);
  spinUnlock(LB);
  o.log('not reached without a report');
  const flags = localIrqSave();
  yield* both(o, 'LB, LC', LB, LC);
  yield* o.localIrqRestore(flags);
  o.log('end');
}
