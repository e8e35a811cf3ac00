// Waits of other kinds: under a lock, to the nanosecond, on a variable, and with wake-ups that are kept (include/linux/wait.h, kernel/sched/wait_bit.c).
import { ERRNO } from '../errno.js';
import { type Spinlock, spinLockIrq, spinUnlockIrq } from '../locking/spinlock.js';
import { HRTIMER_MODE_REL, HRTIMER_NORESTART, Hrtimer, hrtimerCancel, hrtimerStart } from '../time/hrtimer.js';
import { MAX_SCHEDULE_TIMEOUT } from '../time/jiffies.js';
import { scheduleTimeout } from '../time/timeout.js';
import { mightSleep } from './core.js';
import type { Coroutine } from './coroutine.js';
import { current } from './current.js';
import { effect } from './effect.js';
import { TASK_INTERRUPTIBLE, TASK_NORMAL, TASK_RUNNING, TASK_UNINTERRUPTIBLE } from './task.js';
import {
  defaultWakeFunction,
  type WaitCondition,
  type WaitQueueEntry,
  type WaitQueueFunc,
  WaitQueueHead,
  waitEvent,
  waitLoop,
  wakeUp,
} from './wait.js';
import { wakeUpState } from './wakeup.js';

/** {@link waitLoop} under a lock that is let go for each sleep. */
function* lockedLoop(
  head: WaitQueueHead,
  condition: WaitCondition,
  lock: Spinlock,
  state: number,
  jiffies: number,
): Coroutine<number> {
  return yield* waitLoop(head, condition, state, jiffies, false, function* (left) {
    spinUnlockIrq(lock);
    const rest = yield* scheduleTimeout(left);
    yield* spinLockIrq(lock);
    return rest;
  });
}

/**
 * Sleeps in state D until `condition` holds, which is looked at under the lock only (wait_event_lock_irq). The caller has
 * taken the lock with `spinLockIrq()` and has it afterwards; it is let go for each sleep. Process context.
 */
export const waitEventLockIrq = effect(function* waitEventLockIrq(
  head: WaitQueueHead,
  condition: WaitCondition,
  lock: Spinlock,
) {
  yield* lockedLoop(head, condition, lock, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
});

/** As {@link waitEventLockIrq}, at most `jiffies`: what is left of them, at least 1; 0 when they are over (wait_event_lock_irq_timeout). */
export const waitEventLockIrqTimeout = effect(function* waitEventLockIrqTimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  lock: Spinlock,
  jiffies: number,
) {
  return yield* lockedLoop(head, condition, lock, TASK_UNINTERRUPTIBLE, jiffies);
});

/** As {@link waitEventLockIrq}, in state S: 0, or -512 (`-ERESTARTSYS`) when a signal comes (wait_event_interruptible_lock_irq). */
export const waitEventInterruptibleLockIrq = effect(function* waitEventInterruptibleLockIrq(
  head: WaitQueueHead,
  condition: WaitCondition,
  lock: Spinlock,
) {
  return Math.min(yield* lockedLoop(head, condition, lock, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT), 0);
});

function* hrtimeoutCommon(head: WaitQueueHead, condition: WaitCondition, ns: number, state: number): Coroutine<number> {
  mightSleep('wait_event');
  if (condition()) return 0;
  const task = current();
  let left = 1;
  const timer = new Hrtimer(() => {
    left = 0;
    wakeUpState(task, TASK_NORMAL);
    return HRTIMER_NORESTART;
  }, HRTIMER_MODE_REL);
  if (ns !== Number.POSITIVE_INFINITY) hrtimerStart(timer, ns, HRTIMER_MODE_REL);
  let result: number;
  try {
    result = yield* waitLoop(head, condition, state, left, false, function* () {
      yield* scheduleTimeout(MAX_SCHEDULE_TIMEOUT);
      return left;
    });
  } finally {
    yield* hrtimerCancel(timer);
  }
  return result === 0 ? -ERRNO.ETIME : Math.min(result, 0);
}

/**
 * Sleeps in state D until `condition` holds, at most `ns` nanoseconds, `Infinity` for no limit (wait_event_hrtimeout).
 * Process context.
 *
 * @returns 0, or -62 (`-ETIME`) when the condition does not hold after that time
 */
export const waitEventHrtimeout = effect(function* waitEventHrtimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  ns: number,
) {
  return yield* hrtimeoutCommon(head, condition, ns, TASK_UNINTERRUPTIBLE);
});

/** As {@link waitEventHrtimeout}, in state S: also -512 (`-ERESTARTSYS`) when a signal comes (wait_event_interruptible_hrtimeout). */
export const waitEventInterruptibleHrtimeout = effect(function* waitEventInterruptibleHrtimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  ns: number,
) {
  return yield* hrtimeoutCommon(head, condition, ns, TASK_INTERRUPTIBLE);
});

/** Entries whose wake-up nobody has seen yet (WQ_FLAG_WOKEN). */
const woken = new WeakSet<WaitQueueEntry>();

/** Wakes the task and notes that it did, for {@link waitWoken} (woken_wake_function). */
export const wokenWakeFunction: WaitQueueFunc = (entry, states) => {
  woken.add(entry);
  return defaultWakeFunction(entry, states);
};

/**
 * Sleeps in `state` until its entry, made with {@link wokenWakeFunction}, is woken, at most `jiffies`; a wake-up since the
 * last call counts too, and so does a wish that the thread stops or parks (wait_woken). Process context.
 *
 * @returns jiffies that were left
 */
export const waitWoken = effect(function* waitWoken(entry: WaitQueueEntry, state: number, jiffies: number) {
  const { task } = entry;
  task.state = state;
  let left = jiffies;
  if (!woken.has(entry) && !task.shouldStop && !task.shouldPark) left = yield* scheduleTimeout(jiffies);
  task.state = TASK_RUNNING;
  woken.delete(entry);
  return left;
});

/** Who waits for a change of an object. */
const heads = new WeakMap<object, WaitQueueHead>();

/** Sleeps in state D until `condition`, which is about `variable`, holds (wait_var_event). Process context. */
export const waitVarEvent = effect(function* waitVarEvent(variable: object, condition: WaitCondition) {
  let head = heads.get(variable);
  if (head === undefined) {
    head = new WaitQueueHead();
    heads.set(variable, head);
  }
  yield* waitEvent(head, condition);
});

/** Tells those that wait for a change of `variable` to look again (wake_up_var). Any context. */
export function wakeUpVar(variable: object): void {
  const head = heads.get(variable);
  if (head !== undefined) wakeUp(head);
}
