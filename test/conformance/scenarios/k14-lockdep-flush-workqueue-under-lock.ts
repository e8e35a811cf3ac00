// A workqueue is flushed under a mutex that a work of it takes.
import { allocWorkqueue, flushWorkqueue, Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inWork } from './_contexts.js';
import { workOn } from './_locks.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const wq = allocWorkqueue('ldq', 0, 0);
  yield* inWork(o, workOn(o, MA), wq);
  yield* mutexLock(MA);
  o.log('flush');
  yield* flushWorkqueue(wq);
  o.log('flushed');
  mutexUnlock(MA);
}
