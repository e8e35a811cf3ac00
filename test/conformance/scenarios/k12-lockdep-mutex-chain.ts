// Three mutexes in a circle.
import { Mutex } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { bothMutexes } from './_locks.js';

export default function* (o: Oracle) {
  const [MA, MB, MC] = [new Mutex('MA'), new Mutex('MB'), new Mutex('MC')];
  yield* bothMutexes(MA, MB);
  yield* bothMutexes(MB, MC);
  o.log('A, B; B, C; now C, A');
  yield* bothMutexes(MC, MA);
  o.log('end');
}
