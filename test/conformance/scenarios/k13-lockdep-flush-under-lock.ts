// A work is flushed under a mutex that it takes.
import { flushWork, Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inWork } from './_contexts.js';
import { workOn } from './_locks.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const work = yield* inWork(o, workOn(o, MA));
  yield* mutexLock(MA);
  o.log('flush');
  yield* flushWork(work);
  o.log('flushed');
  mutexUnlock(MA);
}
