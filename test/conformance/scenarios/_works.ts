// What the programs on workqueues do with their works. The names are those of the recorded driver.
import { flushWork, preemptDisable, type Workqueue, workBusy, workPending } from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';

/** Logs in which state a work is; `at` says when. */
export function busy(o: Oracle, at: string, w: LoggedWork): void {
  o.log('work_busy', { at, w: w.w, busy: workBusy(w), pending: Number(workPending(w)) });
}

/** @returns what queues works, one behind the other */
export function queuerOf(o: Oracle, wq: Workqueue) {
  return (...works: LoggedWork[]): void => {
    for (const work of works) o.queueWork(wq, work);
  };
}

/** Queues a work, and lets it begin. */
export function* start(o: Oracle, wq: Workqueue, a: LoggedWork) {
  o.queueWork(wq, a);
  yield* o.sleep(4);
}

/** Queues works before the first of them can begin, and waits for all. */
export function* queueAtOnce(o: Oracle, wq: Workqueue, works: readonly LoggedWork[]) {
  preemptDisable();
  for (const work of works) o.queueWork(wq, work);
  yield* o.preemptEnable();
  o.log('task.queued');
  for (const work of works) yield* flushWork(work);
  yield* o.sleep(10);
}

/** From now on a work queues itself, twice more. */
export function queuesItself(o: Oracle, wq: Workqueue, a: LoggedWork): void {
  a.inWork = (run) => {
    if (run < 3) o.queueWork(wq, a);
  };
  a.runs = 0;
}
