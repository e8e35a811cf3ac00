// mutex_lock in a timer function.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const sleeps = function* () {
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('slept');
  };
  yield* inTimer(o, sleeps);
}
