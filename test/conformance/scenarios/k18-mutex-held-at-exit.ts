// A task exits with a mutex.
import { Mutex, mutexIsLocked, mutexLock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* o.thread('holder', function* () {
    yield* mutexLock(MA);
    o.log('exits with MA');
  });
  yield* o.sleep(5);
  o.log('end');
  o.log('is_locked', { ret: Number(mutexIsLocked(MA)) });
}
