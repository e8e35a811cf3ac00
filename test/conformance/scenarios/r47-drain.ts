// drain_workqueue lets a work queue another one.
import { allocWorkqueue, destroyWorkqueue, drainWorkqueue, flushWorkqueue } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const a = o.work('a');
  const b = o.work('b');
  a.sleep = 4;
  a.inWork = (run) => {
    if (run === 1) o.queueWork(wq, b);
  };
  o.variant('work queues another one');
  o.queueWork(wq, a);
  yield* drainWorkqueue(wq);
  o.log('drained');
  o.variant('queue afterwards');
  o.queueWork(wq, a);
  yield* flushWorkqueue(wq);
  yield* destroyWorkqueue(wq);
}
