// Completions: "it is done", counted, for tasks that wait for it before or after (kernel/sched/completion.c).
import { ERRNO } from '../errno.js';
import { MAX_SCHEDULE_TIMEOUT } from '../time/jiffies.js';
import { scheduleTimeout } from '../time/timeout.js';
import { mightSleep } from './core.js';
import type { Coroutine } from './coroutine.js';
import { current } from './current.js';
import { effect } from './effect.js';
import { signalPendingState } from './signal.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from './task.js';
import { wakeUpProcess } from './wakeup.js';

/** `done` after complete_all: for ever, until reinit_completion (UINT_MAX). */
export const COMPLETED_FOR_EVER = 0xffff_ffff;

/**
 * Something that will be done.
 *
 * ```ts
 * const ready = new Completion();                   // DECLARE_COMPLETION(ready)
 * const handler = () => {
 *   complete(ready);                                // any context
 *   return IRQ_HANDLED;
 * };
 * function* waiter() {
 *   const left = yield* waitForCompletionTimeout(ready, msecsToJiffies(100));
 *   if (left === 0) printk('err', 'no interrupt within 100 ms');
 * }
 * ```
 */
export class Completion {
  /** How many more waits it lets through. */
  done = 0;
  readonly waiters: Task[] = [];
}

/** Makes it undone again (reinit_completion). */
export function reinitCompletion(x: Completion): void {
  x.done = 0;
}

/** Lets one wait through, and wakes the first waiter (complete). Any context. */
export function complete(x: Completion): void {
  if (x.done !== COMPLETED_FOR_EVER) x.done++;
  const first = x.waiters.shift();
  if (first !== undefined) wakeUpProcess(first);
}

/** Lets all waits through, now and to come (complete_all). Any context. */
export function completeAll(x: Completion): void {
  x.done = COMPLETED_FOR_EVER;
  for (const task of x.waiters.splice(0)) wakeUpProcess(task);
}

/** A wait would not have to wait (completion_done). */
export function completionDone(x: Completion): boolean {
  return x.done > 0;
}

/** Takes one completion if there is one (try_wait_for_completion). Any context. */
export function tryWaitForCompletion(x: Completion): boolean {
  if (x.done === 0) return false;
  if (x.done !== COMPLETED_FOR_EVER) x.done--;
  return true;
}

/** Waits in state D (wait_for_completion). Process context. */
export const waitForCompletion = effect(function* waitForCompletion(x: Completion) {
  yield* waitCommon(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
});

/** Waits at most `jiffies`: what is left of them, at least 1; 0 when they are over (wait_for_completion_timeout). */
export const waitForCompletionTimeout = effect(function* waitForCompletionTimeout(x: Completion, jiffies: number) {
  return yield* waitCommon(x, jiffies, TASK_UNINTERRUPTIBLE);
});

/** Waits in state S: 0, or -512 (`-ERESTARTSYS`) when a signal comes (wait_for_completion_interruptible). */
export const waitForCompletionInterruptible = effect(function* waitForCompletionInterruptible(x: Completion) {
  return Math.min(yield* waitCommon(x, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE), 0);
});

/** As {@link waitForCompletionTimeout}, or -512 (`-ERESTARTSYS`) when a signal comes. */
export const waitForCompletionInterruptibleTimeout = effect(function* waitForCompletionInterruptibleTimeout(
  x: Completion,
  jiffies: number,
) {
  return yield* waitCommon(x, jiffies, TASK_INTERRUPTIBLE);
});

/** Waits in state D: 0, or -512 (`-ERESTARTSYS`) when a fatal signal comes (wait_for_completion_killable). */
export const waitForCompletionKillable = effect(function* waitForCompletionKillable(x: Completion) {
  return Math.min(yield* waitCommon(x, MAX_SCHEDULE_TIMEOUT, TASK_KILLABLE), 0);
});

/** As {@link waitForCompletionTimeout}, or -512 (`-ERESTARTSYS`) when a fatal signal comes. */
export const waitForCompletionKillableTimeout = effect(function* waitForCompletionKillableTimeout(
  x: Completion,
  jiffies: number,
) {
  return yield* waitCommon(x, jiffies, TASK_KILLABLE);
});

/** Waits in `state`; 0, or -512 (`-ERESTARTSYS`) when a signal comes that ends such a sleep (wait_for_completion_state). */
export const waitForCompletionState = effect(function* waitForCompletionState(x: Completion, state: number) {
  return Math.min(yield* waitCommon(x, MAX_SCHEDULE_TIMEOUT, state), 0);
});

function* waitCommon(x: Completion, jiffies: number, state: number): Coroutine<number> {
  mightSleep('wait_for_completion');
  const task = current();
  let left = jiffies;
  try {
    while (x.done === 0) {
      if (signalPendingState(state, task)) return -ERRNO.ERESTARTSYS;
      if (!x.waiters.includes(task)) x.waiters.push(task);
      task.state = state;
      left = yield* scheduleTimeout(left);
      if (left <= 0 && x.done === 0) return left;
    }
  } finally {
    task.state = TASK_RUNNING;
    const at = x.waiters.indexOf(task);
    if (at >= 0) x.waiters.splice(at, 1);
  }
  tryWaitForCompletion(x);
  return Math.max(left, 1);
}
