// A work of a WQ_MEM_RECLAIM workqueue flushes one without.
import { allocWorkqueue, flushWorkqueue, WQ_MEM_RECLAIM } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inWork } from './_contexts.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('rec', WQ_MEM_RECLAIM, 0);
  const plain = allocWorkqueue('plain', 0, 0);
  const flushes = function* () {
    yield* flushWorkqueue(plain);
    o.log('flushed');
  };
  yield* inWork(o, flushes, wq);
  o.log('end');
}
