// Counting semaphores: as many tasks at once as were put in, the others sleep in order (kernel/locking/semaphore.c).
import { ERRNO } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { current } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { signalPendingState } from '../sched/signal.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { MAX_SCHEDULE_TIMEOUT } from '../time/jiffies.js';
import { scheduleTimeout } from '../time/timeout.js';

interface SemaphoreWaiter {
  readonly task: Task;
  up: boolean;
}

/**
 * A count that `down` takes from and `up` gives to. Anybody may give, in any context.
 *
 * ```ts
 * const slots = new Semaphore(2);                   // sema_init(&slots, 2)
 * function* transfer() {
 *   yield* down(slots);                             // the third one sleeps
 *   yield* msleep(20);
 *   up(slots);
 * }
 * ```
 */
export class Semaphore {
  count: number;
  readonly waiters: SemaphoreWaiter[] = [];

  constructor(count: number) {
    this.count = count;
  }
}

/** Takes one, asleep in state D while there is none (down). Process context. */
export const down = effect(function* down(sem: Semaphore) {
  yield* downCommon(sem, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
});

/** As {@link down}; 0, or -4 (`-EINTR`) when a signal comes (down_interruptible). */
export const downInterruptible = effect(function* downInterruptible(sem: Semaphore) {
  return yield* downCommon(sem, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
});

/** As {@link down}; 0, or -4 (`-EINTR`) when a fatal signal comes (down_killable). */
export const downKillable = effect(function* downKillable(sem: Semaphore) {
  return yield* downCommon(sem, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);
});

/** As {@link down}; 0, or -62 (`-ETIME`) after `jiffies` (down_timeout). */
export const downTimeout = effect(function* downTimeout(sem: Semaphore, jiffies: number) {
  return yield* downCommon(sem, TASK_UNINTERRUPTIBLE, jiffies);
});

/** Takes one if there is one: 0, or 1 if there is none, the other way round than mutex_trylock (down_trylock). Any context. */
export function downTrylock(sem: Semaphore): 0 | 1 {
  if (sem.count === 0) return 1;
  sem.count--;
  return 0;
}

/** Gives one, to the first waiter if there are any (up). Any context. */
export function up(sem: Semaphore): void {
  const first = sem.waiters.shift();
  if (first === undefined) {
    sem.count++;
    return;
  }
  first.up = true;
  wakeUpProcess(first.task);
}

function* downCommon(sem: Semaphore, state: number, timeout: number): Coroutine<number> {
  mightSleep('down');
  if (sem.count > 0) {
    sem.count--;
    return 0;
  }
  const task = current();
  const waiter = { task, up: false };
  let left = timeout;
  sem.waiters.push(waiter);
  while (!waiter.up) {
    if (signalPendingState(state, task)) return leave(sem, waiter, -ERRNO.EINTR);
    if (left <= 0) return leave(sem, waiter, -ERRNO.ETIME);
    task.state = state;
    try {
      left = yield* scheduleTimeout(left);
    } catch (error) {
      // In an interrupt: there is no task that could sleep, and none for an up() to be meant for.
      if (!waiter.up) leave(sem, waiter, 0);
      throw error;
    }
  }
  return 0;
}

function leave(sem: Semaphore, waiter: SemaphoreWaiter, result: number): number {
  sem.waiters.splice(sem.waiters.indexOf(waiter), 1);
  waiter.task.state = TASK_RUNNING;
  return result;
}
