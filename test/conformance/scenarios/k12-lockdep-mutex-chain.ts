// Three mutexes in a circle.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const [MA, MB, MC] = [new Mutex('MA'), new Mutex('MB'), new Mutex('MC')];
  const both = function* (first: Mutex, second: Mutex) {
    yield* mutexLock(first);
    yield* mutexLock(second);
    mutexUnlock(second);
    mutexUnlock(first);
  };
  yield* both(MA, MB);
  yield* both(MB, MC);
  o.log('A, B; B, C; now C, A');
  yield* both(MC, MA);
  o.log('end');
}
