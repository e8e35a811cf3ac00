// Delayed work items: queued by a timer (struct delayed_work).
import { KernelError } from '../errno.js';
import { TIMER_IRQSAFE, TimerList } from '../time/timer.js';
import { WORK_CPU_UNBOUND } from './flags.js';
import { __queueWork } from './queue.js';
import { NAMELESS_WORK, Work, type WorkFn } from './work.js';
import type { Workqueue } from './workqueue.js';

/** The timer of a delayed item. */
class DelayedWorkTimer extends TimerList {
  readonly work: DelayedWork;

  constructor(work: DelayedWork, flags: number) {
    super(delayed_work_timer_fn, TIMER_IRQSAFE | flags);
    this.work = work;
  }
}

function delayed_work_timer_fn(timer: TimerList): void {
  if (!(timer instanceof DelayedWorkTimer)) return;
  const { cpuId, wq } = timer.work;
  if (wq !== undefined) __queueWork(cpuId, wq, timer.work);
}

/**
 * A work item that is queued when its time has come (INIT_DELAYED_WORK).
 *
 * ```ts
 * const blink = new DelayedWork(() => {             // DECLARE_DELAYED_WORK(blink, blink_fn)
 *   gpiodSetValue(led, on ? 0 : 1);
 *   on = !on;
 *   scheduleDelayedWork(blink, msecsToJiffies(500));
 * });
 * ```
 */
export class DelayedWork extends Work {
  readonly timer: TimerList;
  /** Where the timer will queue it. */
  wq: Workqueue | undefined;
  cpuId = WORK_CPU_UNBOUND;

  /** `timerFlags`: TIMER_DEFERRABLE for one that does not wake an idle CPU (INIT_DEFERRABLE_WORK). */
  constructor(fn: WorkFn, name: string = fn.name || NAMELESS_WORK, timerFlags = 0) {
    super(fn, name);
    this.timer = new DelayedWorkTimer(this, timerFlags);
  }
}

/**
 * The delayed item that a work function was given (to_delayed_work). Any context.
 *
 * @throws KernelError EINVAL for a plain one
 */
export function toDelayedWork(work: Work): DelayedWork {
  if (work instanceof DelayedWork) return work;
  throw new KernelError('EINVAL', `to_delayed_work: ${work.name} is no delayed work`);
}

/** Its timer runs, or it is queued (delayed_work_pending). Any context. */
export function delayedWorkPending(work: DelayedWork): boolean {
  return work.pending;
}
