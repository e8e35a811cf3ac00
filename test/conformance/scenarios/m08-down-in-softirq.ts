// down in ksoftirqd.
import { down, Semaphore } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inKsoftirqd } from './_contexts.js';

export default function* (o: Oracle) {
  const sleeps = function* () {
    yield* down(new Semaphore(1));
    o.log('down');
  };
  yield* inKsoftirqd(o, sleeps);
  o.log('end');
}
