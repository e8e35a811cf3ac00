// A lock of a timer function is taken with bottom halves on.
import { Spinlock, spinLock, spinLockBh, spinUnlock, spinUnlockBh } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* inTimer(o, takerOf(o, LA));
  o.log('task');
  yield* spinLockBh(LA);
  spinUnlockBh(LA);
  yield* o.point();
  o.log('bh');
  yield* spinLock(LA);
  spinUnlock(LA);
  o.log('end');
}
