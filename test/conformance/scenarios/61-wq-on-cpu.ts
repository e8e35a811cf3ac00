// Items that are queued on a CPU, and items that are queued on another one than where they run.
import {
  allocWorkqueue,
  flushDelayedWork,
  flushWork,
  preemptDisable,
  queueDelayedWorkOn,
  queueWork,
  queueWorkOn,
  scheduleWorkOn,
  type Work,
  type Workqueue,
  WQ_UNBOUND,
} from '../../../kernel/index.js';
import type { Oracle, Values } from '../vocabulary.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const a = o.delayedWork('a');
  const queue = (): void => o.log('queue_work', { w: 'a', ret: queueWork(wq, a) ? 1 : 0 });
  const queueOn1 = (on: Workqueue, work: Work, more: Values = {}): void => {
    const ret = queueWorkOn(1, on, work) ? 1 : 0;
    o.log('queue_work_on', { cpu: 1, ret, ...more });
  };
  const end = function* (...works: Work[]) {
    for (const work of works) yield* flushWork(work);
  };

  o.variant('bound-default-cpu');
  queue();
  yield* end(a);
  o.variant('queue_work_on-1');
  queueOn1(wq, a);
  yield* end(a);
  o.variant('schedule_work_on-1');
  o.log('schedule_work_on', { cpu: 1, ret: scheduleWorkOn(1, a) ? 1 : 0 });
  yield* end(a);
  o.variant('unbound-on-1');
  queueOn1(allocWorkqueue('unbound', WQ_UNBOUND, 0), a, { note: 'unbound' });
  yield* end(a);
  o.variant('queued-on-cpu1-while-pending-cpu0');
  preemptDisable();
  queue();
  queueOn1(wq, a);
  yield* o.preemptEnable();
  yield* end(a);
  o.variant('queued-on-cpu1-while-running-on-cpu0');
  a.sleep = 30;
  queue();
  yield* o.sleep(8);
  queueOn1(wq, a);
  yield* end(a);
  a.sleep = 0;
  o.variant('two-works-on-two-cpus-busy');
  const b = Object.assign(o.work('b'), { busy: 8 });
  const c = Object.assign(o.work('c'), { busy: 8 });
  preemptDisable();
  queueOn1(wq, b, { w: 'b' });
  o.queueWork(wq, c);
  yield* o.preemptEnable();
  yield* end(b, c);
  o.variant('delayed-on-1');
  o.log('queue_delayed_work_on', { cpu: 1, ret: queueDelayedWorkOn(1, wq, a, 3) ? 1 : 0 });
  yield* o.sleep(40);
  yield* flushDelayedWork(a);
}
