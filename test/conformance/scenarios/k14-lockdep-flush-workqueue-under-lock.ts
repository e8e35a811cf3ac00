// A workqueue is flushed under a mutex that a work of it takes.
import {
  allocWorkqueue,
  flushWorkqueue,
  Mutex,
  mutexLock,
  mutexUnlock,
  queueWork,
  Work,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const wq = allocWorkqueue('ldq', 0, 0);
  const work = new Work(function* wk_fn() {
    yield* mutexLock(MA);
    o.log('work has MA');
    mutexUnlock(MA);
  }, 'wk');
  queueWork(wq, work);
  yield* o.sleep(20);
  yield* mutexLock(MA);
  o.log('flush');
  yield* flushWorkqueue(wq);
  o.log('flushed');
  mutexUnlock(MA);
}
