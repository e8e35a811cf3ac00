// down in a hard interrupt.
import { down, Semaphore } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const sleeps = function* () {
    yield* down(new Semaphore(1));
    o.log('down');
  };
  yield* o.hard(sleeps);
  o.log('end');
}
