// Two mutexes of one class, told apart by mutex_lock_nested.
import { Mutex, mutexLockNested, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const made = () => new Mutex('&m[i]');
  const [first, second] = [made(), made()];
  const order = function* (outer: Mutex, inner: Mutex, outerSub: number, innerSub: number, log: string) {
    yield* mutexLockNested(outer, outerSub);
    yield* mutexLockNested(inner, innerSub);
    o.log(log);
    mutexUnlock(inner);
    mutexUnlock(outer);
  };
  yield* order(first, second, 0, 1, 'nested');
  yield* order(second, first, 0, 1, 'the other way round');
  yield* order(first, second, 1, 0, 'against the order');
  o.log('end');
}
