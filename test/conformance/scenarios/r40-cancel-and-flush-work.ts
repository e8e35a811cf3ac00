// cancel_work and flush_work in each state of a work item.
import {
  allocWorkqueue,
  cancelWork,
  cancelWorkSync,
  destroyWorkqueue,
  flushWork,
  type Workqueue,
} from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { busy, queuesItself, start } from './_works.js';

function* notRunning(o: Oracle, wq: Workqueue, a: LoggedWork) {
  o.variant('idle');
  ret(o, 'cancel_work', cancelWork(a));
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  ret(o, 'flush_work', yield* flushWork(a));
  busy(o, 'idle', a);
  o.variant('pending');
  o.queueWork(wq, a);
  busy(o, 'pending', a);
  ret(o, 'cancel_work', cancelWork(a));
  busy(o, 'cancelled', a);
  o.queueWork(wq, a);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  yield* o.sleep(10);
}

function* running(o: Oracle, wq: Workqueue, a: LoggedWork) {
  o.variant('running');
  a.sleep = 12;
  yield* start(o, wq, a);
  busy(o, 'running', a);
  ret(o, 'cancel_work', cancelWork(a));
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  o.variant('running and pending');
  yield* start(o, wq, a);
  o.queueWork(wq, a);
  busy(o, 'both', a);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  busy(o, 'cancelled', a);
  o.variant('queues itself, cancelled');
  queuesItself(o, wq, a);
  yield* start(o, wq, a);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  yield* o.sleep(30);
  o.variant('queues itself, flushed');
  a.runs = 0;
  yield* start(o, wq, a);
  ret(o, 'flush_work', yield* flushWork(a));
  busy(o, 'flushed', a);
  yield* o.sleep(60);
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const a = o.work('a');
  const b = o.work('b');
  yield* notRunning(o, wq, a);
  yield* running(o, wq, a);
  o.variant('flush a pending one behind a running one');
  a.inWork = () => {};
  b.sleep = 4;
  a.sleep = 0;
  a.busy = 6;
  o.queueWork(wq, a);
  o.queueWork(wq, b);
  ret(o, 'flush_work', yield* flushWork(b));
  ret(o, 'flush_work', yield* flushWork(a));
  yield* destroyWorkqueue(wq);
}
