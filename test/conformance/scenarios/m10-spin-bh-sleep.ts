// mutex_lock under spin_lock_bh.
import { Mutex, mutexLock, mutexUnlock, Spinlock, spinLockBh, spinUnlockBh } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const MA = new Mutex('MA');
  const sleeps = function* () {
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('slept');
  };
  yield* spinLockBh(LA);
  yield* sleeps();
  spinUnlockBh(LA);
  yield* o.point();
  o.log('end');
}
