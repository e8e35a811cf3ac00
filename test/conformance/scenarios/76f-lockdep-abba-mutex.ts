// Two mutexes in one order, then in the other.
import { Mutex } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { bothMutexes } from './_locks.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const MB = new Mutex('MB');
  o.log('A then B');
  yield* bothMutexes(MA, MB);
  o.log('B then A');
  yield* bothMutexes(MB, MA);
  o.log('end');
}
