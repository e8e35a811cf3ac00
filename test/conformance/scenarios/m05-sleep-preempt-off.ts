// mutex_lock with preemption off.
import { Mutex, mutexLock, mutexUnlock, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const sleeps = function* () {
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('slept');
  };
  preemptDisable();
  yield* sleeps();
  yield* o.preemptEnable();
  o.log('end');
}
