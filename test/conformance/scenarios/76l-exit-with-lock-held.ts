// A thread ends with a mutex.
import { Mutex, mutexLock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MB = new Mutex('MB');
  yield* o.thread('other', function* () {
    yield* mutexLock(MB);
    o.log('locked, now exit');
  });
  yield* o.sleep(20);
  o.log('end');
}
