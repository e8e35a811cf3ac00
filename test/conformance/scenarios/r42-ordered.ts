// An ordered workqueue: one at a time, in the order of queueing.
import {
  allocOrderedWorkqueue,
  cancelWorkSync,
  destroyWorkqueue,
  flushWorkqueue,
  workBusy,
  workPending,
  workqueueSetMaxActive,
} from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const wq = allocOrderedWorkqueue('ordered', 0);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const queue = (...works: LoggedWork[]) => {
    for (const work of works) o.queueWork(wq, work);
  };
  const busy = (at: string, w: LoggedWork) => {
    o.log('work_busy', { at, w: w.w, busy: workBusy(w), pending: Number(workPending(w)) });
  };
  a.sleep = 8;
  b.sleep = 4;
  o.variant('order');
  queue(c, a, b);
  yield* o.sleep(4);
  queue(c);
  busy('a sleeps', a);
  busy('b waits', b);
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
