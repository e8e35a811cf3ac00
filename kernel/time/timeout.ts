// Sleeping with a time-out, in jiffies or in ns (kernel/time/timer.c, hrtimer.c).
import { ERRNO, KernelError } from '../errno.js';
import { dumpStack, schedule } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import {
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_KILLABLE,
  TASK_NORMAL,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  type Task,
} from '../sched/task.js';
import { wakeUpProcess, wakeUpState } from '../sched/wakeup.js';
import { HRTIMER_NORESTART, Hrtimer, hrtimerCancel, hrtimerStartRangeNs, hrtimerTryToCancel } from './hrtimer.js';
import { getJiffies64, jiffies, MAX_SCHEDULE_TIMEOUT } from './jiffies.js';
import { modTimer, TimerList, timerDelete, timerDeleteSync } from './timer.js';

/** schedule(), which throws in an interrupt: the interrupted task is then left running, and with nothing that would wake it. */
function* sleep(task: Task, disarm?: () => void): Coroutine<void> {
  try {
    task.timedSleep = disarm !== undefined;
    yield* schedule();
  } catch (error) {
    disarm?.();
    task.state = TASK_RUNNING;
    throw error;
  } finally {
    task.timedSleep = false;
  }
}

/**
 * Sleeps in the state that was set, until woken or until `timeout` jiffies have passed (schedule_timeout). Process context.
 * In state RUNNING it only lets others run.
 *
 * @param timeout MAX_SCHEDULE_TIMEOUT for no limit; a fraction of a jiffy is cut off
 * @returns jiffies that were left, 0 when the time is over; MAX_SCHEDULE_TIMEOUT without a limit
 * @throws KernelError EINVAL for more than MAX_SCHEDULE_TIMEOUT, or no number
 */
export const scheduleTimeout = effect(function* scheduleTimeout(timeout: number): Coroutine<number> {
  const task = current();
  if (timeout === MAX_SCHEDULE_TIMEOUT) {
    yield* sleep(task);
    return timeout;
  }
  if (!(timeout <= MAX_SCHEDULE_TIMEOUT)) {
    task.state = TASK_RUNNING;
    throw new KernelError('EINVAL', `schedule_timeout: ${timeout} jiffies`, {
      hint: 'MAX_SCHEDULE_TIMEOUT waits without a limit',
    });
  }
  if (timeout < 0) {
    const { machine } = thisCpu();
    const value = BigInt.asUintN(64, BigInt(Math.max(Math.trunc(timeout), Number.MIN_SAFE_INTEGER)));
    machine.printk('err', `schedule_timeout: wrong timeout value ${value.toString(16)}`);
    dumpStack();
    task.state = TASK_RUNNING;
    return 0;
  }
  const end = getJiffies64() + Math.trunc(timeout);
  const timer = new TimerList(() => {
    wakeUpProcess(task);
  });
  modTimer(timer, jiffies() + timeout);
  yield* sleep(task, () => timerDelete(timer));
  yield* timerDeleteSync(timer);
  return Math.max(0, end - getJiffies64());
});

/** {@link scheduleTimeout} in state S: a signal ends it too. */
export const scheduleTimeoutInterruptible = effect(function* scheduleTimeoutInterruptible(timeout: number) {
  current().state = TASK_INTERRUPTIBLE;
  return yield* scheduleTimeout(timeout);
});

/** {@link scheduleTimeout} in state D. */
export const scheduleTimeoutUninterruptible = effect(function* scheduleTimeoutUninterruptible(timeout: number) {
  current().state = TASK_UNINTERRUPTIBLE;
  return yield* scheduleTimeout(timeout);
});

/** {@link scheduleTimeout} in state D, which a fatal signal ends. */
export const scheduleTimeoutKillable = effect(function* scheduleTimeoutKillable(timeout: number) {
  current().state = TASK_KILLABLE;
  return yield* scheduleTimeout(timeout);
});

/** {@link scheduleTimeout} in state I: not counted as stuck. */
export const scheduleTimeoutIdle = effect(function* scheduleTimeoutIdle(timeout: number) {
  current().state = TASK_IDLE;
  return yield* scheduleTimeout(timeout);
});

/**
 * Sleeps in the state that was set, until woken or until an hrtimer is due (schedule_hrtimeout_range). Process context.
 *
 * @param ns since the clock's origin or, with HRTIMER_MODE_REL, from now; 0 in both: it does not sleep
 * @param rangeNs how much later it may be
 * @returns 0 when the time is over, -4 (`-EINTR`) when it was woken before
 */
export const scheduleHrtimeoutRange = effect(function* scheduleHrtimeoutRange(
  ns: number,
  rangeNs: number,
  mode: number,
): Coroutine<number> {
  const task = current();
  if (ns === 0) {
    task.state = TASK_RUNNING;
    return 0;
  }
  let expired = false;
  const timer = new Hrtimer(() => {
    expired = true;
    wakeUpState(task, TASK_NORMAL);
    return HRTIMER_NORESTART;
  }, mode);
  hrtimerStartRangeNs(timer, ns, rangeNs, mode);
  yield* sleep(task, () => hrtimerTryToCancel(timer));
  yield* hrtimerCancel(timer);
  task.state = TASK_RUNNING;
  return expired ? 0 : -ERRNO.EINTR;
});

/** As {@link scheduleHrtimeoutRange}, without a range (schedule_hrtimeout). */
export const scheduleHrtimeout = effect(function* scheduleHrtimeout(ns: number, mode: number) {
  return yield* scheduleHrtimeoutRange(ns, 0, mode);
});
