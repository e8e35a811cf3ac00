// A task unlocks the mutex of another one.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* mutexLock(MA);
  o.log('locked');
  yield* o.thread('other', () => {
    mutexUnlock(MA);
    o.log('unlocked by another');
  });
  yield* o.sleep(5);
  o.log('end');
}
