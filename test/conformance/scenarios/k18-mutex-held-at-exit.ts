// A task exits with a mutex.
import { Mutex, mutexIsLocked, mutexLock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTask } from './_contexts.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* inTask(o, 'holder', function* () {
    yield* mutexLock(MA);
    o.log('exits with MA');
  });
  o.log('end');
  ret(o, 'is_locked', mutexIsLocked(MA));
}
