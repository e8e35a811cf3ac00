// mutex_lock() by a task that has said it sleeps.
import {
  Mutex,
  mutexLock,
  mutexUnlock,
  setCurrentState,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  o.log('mutex_lock with state set');
  setCurrentState(TASK_UNINTERRUPTIBLE);
  yield* mutexLock(MA);
  mutexUnlock(MA);
  setCurrentState(TASK_RUNNING);
  o.log('after');
}
