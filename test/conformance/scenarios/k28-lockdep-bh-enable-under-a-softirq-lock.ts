// Bottom halves are enabled while a lock of softirqs is held.
import { localBhDisable, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const takes = function* () {
    o.log('takes LA');
    yield* spinLock(LA);
    spinUnlock(LA);
  };
  yield* inTasklet(o, takes);
  localBhDisable();
  yield* spinLock(LA);
  o.log('in it');
  yield* o.localBhEnable();
  o.log('softirqs on inside');
  spinUnlock(LA);
  o.log('end');
}
