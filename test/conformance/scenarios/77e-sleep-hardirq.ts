// mutex_lock() in a hard interrupt.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* o.hard(function* () {
    o.log('hardirq mutex_lock');
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('hardirq after');
  });
}
