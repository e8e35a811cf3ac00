// queue_work: true when idle, false when pending, true again while running.
import {
  allocWorkqueue,
  flushWork,
  preemptDisable,
  WORK_BUSY_PENDING,
  WORK_BUSY_RUNNING,
  workBusy,
} from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';

function busy(o: Oracle, at: string, work: LoggedWork): void {
  const state = workBusy(work);
  o.log('work_busy', {
    at,
    pending: (state & WORK_BUSY_PENDING) === 0 ? 0 : 1,
    running: (state & WORK_BUSY_RUNNING) === 0 ? 0 : 1,
  });
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const a = o.work('a');
  o.variant('idle-pending');
  preemptDisable();
  o.queueWork(wq, a);
  o.queueWork(wq, a);
  busy(o, 'queued', a);
  yield* o.preemptEnable();
  yield* flushWork(a);
  busy(o, 'done', a);
  o.variant('running');
  a.sleep = 30;
  o.queueWork(wq, a);
  yield* o.sleep(8);
  busy(o, 'running', a);
  o.queueWork(wq, a);
  busy(o, 'running+pending', a);
  o.queueWork(wq, a);
  yield* flushWork(a);
  busy(o, 'flushed', a);
  o.log('runs', { n: a.runs });
}
