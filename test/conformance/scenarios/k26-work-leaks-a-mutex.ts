// A work returns with a mutex.
import { Mutex, mutexLock, scheduleWork, Work } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  scheduleWork(
    new Work(function* wk_fn() {
      yield* mutexLock(MA);
      o.log('leaks a mutex');
    }),
  );
  yield* o.sleep(20);
  o.log('end');
}
