// A mutex inside a spinlock.
import { Mutex, mutexLock, mutexUnlock, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const MA = new Mutex('MA');
  o.log('mutex in atomic: lock mutex while holding spinlock');
  yield* spinLock(LA);
  yield* mutexLock(MA);
  mutexUnlock(MA);
  spinUnlock(LA);
  o.log('end');
}
