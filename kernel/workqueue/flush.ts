// Waiting for one item: a barrier behind it says when it is done (flush_work).
import { KernelError } from '../errno.js';
import type { ListHead } from '../lib/list.js';
import { Completion, complete, completionDone, waitForCompletion } from '../sched/completion.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { current } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import type { Task } from '../sched/task.js';
import { udelay } from '../time/delay.js';
import { __WQ_LEGACY, WQ_MEM_RECLAIM } from './flags.js';
import { currentWqWorker } from './info.js';
import { touchQueueMap, touchWorkMap } from './lock-maps.js';
import type { PoolWorkqueue } from './pwq.js';
import { Work } from './work.js';
import type { Worker } from './worker.js';
import type { Workqueue } from './workqueue.js';

/** Runs behind another item, in the same worker (struct wq_barrier). It does not count against max_active, and cannot be cancelled. */
export class Barrier extends Work {
  readonly done = new Completion();
  /** Who waits. */
  readonly task: Task;

  constructor(task: Task) {
    super(wqBarrierFunc, 'wq_barrier_func');
    this.task = task;
    this.pending = true;
    this.inactive = true;
  }
}

function wqBarrierFunc(work: Work): void {
  if (work instanceof Barrier) complete(work.done);
}

/** Puts a barrier behind `target`, or, while that runs, in front of all else that its worker has (insert_wq_barrier). */
function insertWqBarrier(pwq: PoolWorkqueue, barrier: Barrier, target: Work, worker: Worker | undefined): void {
  let next: ListHead<Work>;
  if (worker === undefined) {
    next = target.entry.next;
    barrier.linked = target.linked;
    barrier.color = target.color;
    target.linked = true;
  } else {
    next = worker.scheduled.next;
    barrier.color = worker.currentColor;
  }
  pwq.nrInFlight[barrier.color] = (pwq.nrInFlight[barrier.color] ?? 0) + 1;
  barrier.nameId = pwq.pool.machine.trace.intern(barrier.name);
  pwq.insert(barrier, next);
}

/** Warns who must go on when there is no memory and waits for who need not (check_flush_dependency). */
export function checkFlushDependency(target: Workqueue, work: Work | undefined): void {
  if ((target.flags & WQ_MEM_RECLAIM) !== 0) return;
  const worker = currentWqWorker();
  const wq = worker?.currentPwq?.wq;
  if (wq === undefined || (wq.flags & (WQ_MEM_RECLAIM | __WQ_LEGACY)) !== WQ_MEM_RECLAIM) return;
  target.owner.warnOnce(
    'check_flush_dependency',
    `workqueue: WQ_MEM_RECLAIM ${wq.name}:${worker?.currentWork?.name} is flushing !WQ_MEM_RECLAIM ${target.name}:${work?.name ?? '0x0'}`,
    'check_flush_dependency',
  );
}

/** The barrier behind an item that is queued or runs; undefined for an idle one (start_flush_work). */
function startFlushWork(work: Work, fromCancel: boolean): Barrier | undefined {
  const { pool } = work;
  if (pool === undefined) return undefined;
  const worker = work.pwq === undefined ? pool.workerRunning(work) : undefined;
  const pwq = work.pwq ?? worker?.currentPwq;
  if (pwq === undefined) return undefined;
  if (!fromCancel) checkFlushDependency(pwq.wq, work);
  const barrier = new Barrier(current());
  insertWqBarrier(pwq, barrier, work, worker);
  const { wq } = pwq;
  touchWorkMap(wq, work);
  // Where the items have one worker at a time, this one may be needed for what it waits for.
  if (!fromCancel && (wq.savedMaxActive === 1 || wq.rescuer !== undefined)) touchQueueMap(wq);
  return barrier;
}

/**
 * Refuses to wait for an item within its own function.
 *
 * @throws KernelError EDEADLK; a kernel's task would wait for ever
 */
export function refuseOwnWork(work: Work, call: string): void {
  for (let worker = work.runner; worker !== undefined; worker = worker.nextRunner) {
    if (worker.task === undefined || worker !== currentWqWorker()) continue;
    if (worker.currentPwq !== undefined) touchWorkMap(worker.currentPwq.wq, work);
    throw new KernelError('EDEADLK', `${call}() of ${work.name} in its own function, which it would wait for`);
  }
}

/** Waits for an item as it is queued or running now. */
export function* flushOne(work: Work, fromCancel: boolean): Coroutine<boolean> {
  const barrier = startFlushWork(work, fromCancel);
  if (barrier === undefined) return false;
  if (fromCancel && work.pool?.bh === true) {
    // Also in softirq context, where nobody can sleep: it runs on another CPU, and not for long.
    while (!completionDone(barrier.done)) yield* udelay(1);
  } else {
    yield* waitForCompletion(barrier.done);
  }
  return true;
}

/**
 * Waits until the item, as it is queued or running now, is done; false when it was idle (flush_work). A {@link DelayedWork}
 * whose timer runs is idle in this sense. Process context.
 *
 * @throws KernelError EDEADLK in the item's own function, which it would wait for
 */
export const flushWork = effect(function* flushWork(work: Work): Coroutine<boolean> {
  mightSleep('flush_work');
  refuseOwnWork(work, 'flush_work');
  return yield* flushOne(work, false);
});
