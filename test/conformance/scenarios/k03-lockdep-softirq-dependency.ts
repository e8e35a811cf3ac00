// A lock of softirqs gets another one inside that is taken with bottom halves on.
import { localBhDisable, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { both, takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  yield* spinLock(LB);
  spinUnlock(LB);
  yield* inTasklet(o, takerOf(o, LA));
  o.log('now LA -> LB');
  localBhDisable();
  yield* both(o, 'LA, LB', LA, LB);
  yield* o.localBhEnable();
  o.log('end');
}
