// disable_work nests, and keeps work and delayed work from being queued.
import {
  allocWorkqueue,
  delayedWorkPending,
  destroyWorkqueue,
  disableDelayedWork,
  disableDelayedWorkSync,
  disableWork,
  disableWorkSync,
  enableAndQueueWork,
  enableDelayedWork,
  enableWork,
  flushWork,
  modDelayedWork,
  queueDelayedWork,
  type Workqueue,
} from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { busy, queuesItself, start } from './_works.js';

function* notRunning(o: Oracle, wq: Workqueue, a: LoggedWork) {
  o.variant('nest');
  for (let i = 0; i < 2; i++) ret(o, 'disable_work', disableWork(a));
  o.queueWork(wq, a);
  for (let i = 0; i < 2; i++) {
    ret(o, 'enable_work', enableWork(a));
    o.queueWork(wq, a);
  }
  yield* flushWork(a);
  o.variant('pending');
  o.queueWork(wq, a);
  ret(o, 'disable_work', disableWork(a));
  busy(o, 'disabled', a);
  ret(o, 'flush_work', yield* flushWork(a));
  ret(o, 'enable_and_queue_work', enableAndQueueWork(wq, a));
  yield* flushWork(a);
}

function* running(o: Oracle, wq: Workqueue, a: LoggedWork) {
  o.variant('running');
  a.sleep = 12;
  yield* start(o, wq, a);
  ret(o, 'disable_work', disableWork(a));
  o.log('disabled');
  ret(o, 'disable_work_sync', yield* disableWorkSync(a));
  for (let i = 0; i < 2; i++) ret(o, 'enable_and_queue_work', enableAndQueueWork(wq, a));
  yield* o.sleep(20);
  o.variant('queues itself while disabled');
  queuesItself(o, wq, a);
  yield* start(o, wq, a);
  ret(o, 'disable_work', disableWork(a));
  yield* o.sleep(20);
  ret(o, 'enable_work', enableWork(a));
  yield* o.sleep(20);
}

function* delayed(o: Oracle, wq: Workqueue) {
  o.variant('delayed');
  const da = o.delayedWork('da');
  const queue = (delay: number) => ret(o, 'queue', queueDelayedWork(wq, da, delay));
  queue(5);
  ret(o, 'disable_delayed_work', disableDelayedWork(da));
  queue(5);
  ret(o, 'mod', modDelayedWork(wq, da, 5));
  ret(o, 'pending', delayedWorkPending(da));
  ret(o, 'enable_delayed_work', enableDelayedWork(da));
  queue(2);
  ret(o, 'disable_delayed_work_sync', yield* disableDelayedWorkSync(da));
  ret(o, 'enable_delayed_work', enableDelayedWork(da));
  yield* o.sleep(20);
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const a = o.work('a');
  yield* notRunning(o, wq, a);
  yield* running(o, wq, a);
  yield* delayed(o, wq);
  o.variant('too often');
  ret(o, 'enable_work', enableWork(a));
  yield* destroyWorkqueue(wq);
}
