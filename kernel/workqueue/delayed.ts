// Queueing delayed work, and changing the delay of what waits (queue_delayed_work, mod_delayed_work).
import { KernelError } from '../errno.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { jiffies } from '../time/jiffies.js';
import { addTimerGlobal, addTimerOn, timerDeleteSync } from '../time/timer.js';
import { grabPending } from './cancel.js';
import type { DelayedWork } from './delayed-work.js';
import { WORK_CPU_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { __queueWork, clearPendingIfDisabled } from './queue.js';
import type { Workqueue } from './workqueue.js';

export { DelayedWork, delayedWorkPending, toDelayedWork } from './delayed-work.js';

/** Refuses what is no delay, or no CPU of the machine, before anything is changed. */
function check(cpuId: number, wq: Workqueue, delay: number): void {
  if (!Number.isFinite(delay)) throw new KernelError('EINVAL', `a delay of ${delay} jiffies`);
  if (cpuId !== WORK_CPU_UNBOUND) wq.pwqOn(cpuId);
}

/** Starts the timer of an item that was made pending, or queues it at once without a delay. */
function __queueDelayedWork(cpuId: number, wq: Workqueue, work: DelayedWork, delay: number): void {
  if (delay === 0) {
    __queueWork(cpuId, wq, work);
    return;
  }
  const { timer } = work;
  work.wq = wq;
  work.cpuId = cpuId;
  timer.expires = jiffies() + delay;
  if (cpuId === WORK_CPU_UNBOUND) addTimerGlobal(timer);
  else addTimerOn(timer, cpuId);
}

/**
 * Queues an item on a CPU after `delay` jiffies (queue_delayed_work_on). It runs behind the next tick but one as timers do: with
 * a delay of n at the earliest when jiffies is now + n + 1; with 0 at once, without a timer. False, and nothing is done, when
 * it is pending already, or disabled. Any context.
 *
 * @throws KernelError EINVAL for a CPU that the machine has not got, and for a delay that is no finite number
 */
export function queueDelayedWorkOn(cpuId: number, wq: Workqueue, work: DelayedWork, delay: number): boolean {
  check(cpuId, wq, delay);
  if (work.pending) return false;
  work.pending = true;
  if (clearPendingIfDisabled(work)) return false;
  __queueDelayedWork(cpuId, wq, work, delay);
  return true;
}

/** As {@link queueDelayedWorkOn}, on the local CPU (queue_delayed_work). */
export function queueDelayedWork(wq: Workqueue, work: DelayedWork, delay: number): boolean {
  return queueDelayedWorkOn(WORK_CPU_UNBOUND, wq, work, delay);
}

/** As {@link queueDelayedWork}, on the system's queue (schedule_delayed_work). */
export function scheduleDelayedWork(work: DelayedWork, delay: number): boolean {
  return queueDelayedWork(thisCpu().machine.workqueues.systemPercpuWq, work, delay);
}

/** As {@link queueDelayedWorkOn}, on the system's queue (schedule_delayed_work_on). */
export function scheduleDelayedWorkOn(cpuId: number, work: DelayedWork, delay: number): boolean {
  return queueDelayedWorkOn(cpuId, thisCpu().machine.workqueues.systemPercpuWq, work, delay);
}

/**
 * Gives an item a new delay, whether its timer runs, it is queued, or it is idle (mod_delayed_work_on); with 0 it is queued at
 * once. True when it was pending. Any context. Errors as of {@link queueDelayedWorkOn}.
 */
export function modDelayedWorkOn(cpuId: number, wq: Workqueue, work: DelayedWork, delay: number): boolean {
  check(cpuId, wq, delay);
  const wasPending = grabPending(work, true);
  if (!clearPendingIfDisabled(work)) __queueDelayedWork(cpuId, wq, work, delay);
  return wasPending;
}

/** As {@link modDelayedWorkOn}, on the local CPU (mod_delayed_work). */
export function modDelayedWork(wq: Workqueue, work: DelayedWork, delay: number): boolean {
  return modDelayedWorkOn(WORK_CPU_UNBOUND, wq, work, delay);
}

/**
 * Queues an item at once whose timer runs, and waits until it is done; false when it was idle (flush_delayed_work). Process
 * context.
 *
 * @throws KernelError EDEADLK in the item's own function
 */
export const flushDelayedWork = effect(function* flushDelayedWork(work: DelayedWork): Coroutine<boolean> {
  if ((yield* timerDeleteSync(work.timer)) === 1 && work.wq !== undefined) __queueWork(work.cpuId, work.wq, work);
  return yield* flushWork(work);
});
