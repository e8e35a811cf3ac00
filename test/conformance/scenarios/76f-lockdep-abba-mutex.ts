// Two mutexes in one order, then in the other.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

function* inside(outer: Mutex, inner: Mutex) {
  yield* mutexLock(outer);
  yield* mutexLock(inner);
  mutexUnlock(inner);
  mutexUnlock(outer);
}

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const MB = new Mutex('MB');
  o.log('A then B');
  yield* inside(MA, MB);
  o.log('B then A');
  yield* inside(MB, MA);
  o.log('end');
}
