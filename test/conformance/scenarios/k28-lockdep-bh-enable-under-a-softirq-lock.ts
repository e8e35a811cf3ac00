// Bottom halves are enabled while a lock of softirqs is held.
import { localBhDisable, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* inTasklet(o, takerOf(o, LA));
  localBhDisable();
  yield* spinLock(LA);
  o.log('in it');
  yield* o.localBhEnable();
  o.log('softirqs on inside');
  spinUnlock(LA);
  o.log('end');
}
