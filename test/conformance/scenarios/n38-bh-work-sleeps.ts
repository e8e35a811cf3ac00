// might_sleep in a BH work.
import { flushWork, mightSleep, queueWork, Work } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const work = new Work(function wk_fn() {
    mightSleep('might_sleep');
    o.log('BH work');
  });
  queueWork(o.machine.workqueues.systemBhWq, work);
  yield* flushWork(work);
  o.log('end');
}
