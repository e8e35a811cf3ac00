// An ordered workqueue: one at a time, in the order of queueing.
import {
  allocOrderedWorkqueue,
  cancelWorkSync,
  destroyWorkqueue,
  flushWorkqueue,
  workqueueSetMaxActive,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { busy, queuerOf } from './_works.js';

export default function* (o: Oracle) {
  const wq = allocOrderedWorkqueue('ordered', 0);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const queue = queuerOf(o, wq);
  a.sleep = 8;
  b.sleep = 4;
  o.variant('order');
  queue(c, a, b);
  yield* o.sleep(4);
  queue(c);
  busy(o, 'a sleeps', a);
  busy(o, 'b waits', b);
  yield* flushWorkqueue(wq);
  o.log('flushed');
  o.variant('cancel one in the middle');
  queue(a, b, c);
  yield* o.sleep(4);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(b));
  yield* flushWorkqueue(wq);
  o.variant('max_active');
  workqueueSetMaxActive(wq, 4);
  queue(a, b);
  yield* flushWorkqueue(wq);
  yield* destroyWorkqueue(wq);
}
