// A work of a WQ_MEM_RECLAIM workqueue flushes one without.
import { allocWorkqueue, flushWorkqueue, queueWork, Work, WQ_MEM_RECLAIM } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('rec', WQ_MEM_RECLAIM, 0);
  const plain = allocWorkqueue('plain', 0, 0);
  const work = new Work(function* wk_fn() {
    yield* flushWorkqueue(plain);
    o.log('flushed');
  });
  queueWork(wq, work);
  yield* o.sleep(20);
  o.log('end');
}
