// A mutex under two spin locks, released out of order.
import { Mutex, mutexLock, mutexUnlock, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  const MA = new Mutex('MA');
  yield* spinLock(LA);
  yield* spinLock(LB);
  o.log('both, sleeping');
  yield* mutexLock(MA);
  mutexUnlock(MA);
  spinUnlock(LA);
  o.log('out of order');
  spinUnlock(LB);
  o.log('end');
}
