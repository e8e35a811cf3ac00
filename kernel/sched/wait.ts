// Wait queues: tasks that sleep until a condition holds, and those who tell them to look again (kernel/sched/wait.c).
import { ERRNO } from '../errno.js';
import { MAX_SCHEDULE_TIMEOUT } from '../time/jiffies.js';
import { scheduleTimeout } from '../time/timeout.js';
import { mightSleep } from './core.js';
import type { Coroutine } from './coroutine.js';
import { current } from './current.js';
import { effect } from './effect.js';
import { signalPendingState } from './signal.js';
import {
  TASK_IDLE,
  TASK_INTERRUPTIBLE,
  TASK_KILLABLE,
  TASK_NORMAL,
  TASK_RUNNING,
  TASK_UNINTERRUPTIBLE,
  type Task,
} from './task.js';
import { wakeUpState } from './wakeup.js';

/**
 * Where tasks wait.
 *
 * ```ts
 * const readable = new WaitQueueHead();             // DECLARE_WAIT_QUEUE_HEAD(readable)
 * const handler = () => {
 *   edges.push(1);
 *   wakeUpInterruptible(readable);                  // any context
 *   return IRQ_HANDLED;
 * };
 * function* reader() {
 *   const error = yield* waitEventInterruptible(readable, () => edges.length > 0);
 *   return error === 0 ? edges.shift() : undefined;
 * }
 * ```
 */
export class WaitQueueHead {
  /** Woken from the front; exclusive ones stand behind the others. */
  readonly entries: WaitQueueEntry[] = [];
}

/** What a wake-up does to an entry: true if it woke somebody, which counts against the exclusive ones to be woken. */
export type WaitQueueFunc = (entry: WaitQueueEntry, states: number) => boolean;

/** Wakes the task and leaves it on the queue (default_wake_function). */
export const defaultWakeFunction: WaitQueueFunc = (entry, states) => wakeUpState(entry.task, states);

/** Wakes the task, and takes it off the queue if it slept (autoremove_wake_function). */
export const autoremoveWakeFunction: WaitQueueFunc = (entry, states) => {
  const woken = defaultWakeFunction(entry, states);
  if (woken && entry.head !== undefined) removeWaitQueue(entry.head, entry);
  return woken;
};

/** One task on a queue (DEFINE_WAIT: it is taken off when woken; DECLARE_WAITQUEUE with {@link defaultWakeFunction}). */
export class WaitQueueEntry {
  readonly task: Task;
  readonly func: WaitQueueFunc;
  exclusive = false;
  /** The queue that it is on. */
  head: WaitQueueHead | undefined;

  constructor(func: WaitQueueFunc = autoremoveWakeFunction, task: Task = current()) {
    this.func = func;
    this.task = task;
  }
}

/** Puts an entry in front of the others (add_wait_queue). */
export function addWaitQueue(head: WaitQueueHead, entry: WaitQueueEntry): void {
  entry.exclusive = false;
  entry.head = head;
  head.entries.unshift(entry);
}

/** Puts an entry behind the others, of which each wake-up wakes one (add_wait_queue_exclusive). */
export function addWaitQueueExclusive(head: WaitQueueHead, entry: WaitQueueEntry): void {
  entry.exclusive = true;
  entry.head = head;
  head.entries.push(entry);
}

export function removeWaitQueue(head: WaitQueueHead, entry: WaitQueueEntry): void {
  const at = head.entries.indexOf(entry);
  if (at >= 0) head.entries.splice(at, 1);
  entry.head = undefined;
}

/** Queues the caller, unless it is, and sets its state: a wake-up from now on is not lost (prepare_to_wait). */
export function prepareToWait(head: WaitQueueHead, entry: WaitQueueEntry, state: number): void {
  entry.exclusive = false;
  if (entry.head === undefined) addWaitQueue(head, entry);
  entry.task.state = state;
}

/** As {@link prepareToWait}, exclusively; true when it is the first on the queue (prepare_to_wait_exclusive). */
export function prepareToWaitExclusive(head: WaitQueueHead, entry: WaitQueueEntry, state: number): boolean {
  const wasEmpty = head.entries.length === 0;
  entry.exclusive = true;
  if (entry.head === undefined) addWaitQueueExclusive(head, entry);
  entry.task.state = state;
  return wasEmpty;
}

/**
 * As {@link prepareToWait} or its exclusive kind; 0, or -512 (`-ERESTARTSYS`) and off the queue when a signal is pending
 * (prepare_to_wait_event).
 */
export function prepareToWaitEvent(
  head: WaitQueueHead,
  entry: WaitQueueEntry,
  state: number,
  exclusive = false,
): number {
  if (signalPendingState(state, entry.task)) {
    // A wake-up meant for one must not end here: off the queue, the next one gets it.
    removeWaitQueue(head, entry);
    return -ERRNO.ERESTARTSYS;
  }
  if (exclusive) prepareToWaitExclusive(head, entry, state);
  else prepareToWait(head, entry, state);
  return 0;
}

/** Sets the caller running and takes it off the queue (finish_wait). */
export function finishWait(head: WaitQueueHead, entry: WaitQueueEntry): void {
  entry.task.state = TASK_RUNNING;
  if (entry.head !== undefined) removeWaitQueue(head, entry);
}

/** Somebody is on the queue (waitqueue_active). */
export function waitqueueActive(head: WaitQueueHead): boolean {
  return head.entries.length > 0;
}

function wakeUpCommon(head: WaitQueueHead, states: number, exclusive: number): number {
  let woken = 0;
  for (const entry of [...head.entries]) {
    if (!entry.func(entry, states) || !entry.exclusive) continue;
    woken++;
    if (woken === exclusive) break;
  }
  return woken;
}

/** Wakes all that wait and one of those that wait exclusively; how many of the latter it woke (wake_up). Any context. */
export function wakeUp(head: WaitQueueHead): number {
  return wakeUpCommon(head, TASK_NORMAL, 1);
}

/** As {@link wakeUp}, with `nr` of those that wait exclusively (wake_up_nr). */
export function wakeUpNr(head: WaitQueueHead, nr: number): number {
  return wakeUpCommon(head, TASK_NORMAL, nr);
}

/** Wakes everybody (wake_up_all). */
export function wakeUpAll(head: WaitQueueHead): number {
  return wakeUpCommon(head, TASK_NORMAL, 0);
}

/** As {@link wakeUp}, but only those that sleep interruptibly (wake_up_interruptible). */
export function wakeUpInterruptible(head: WaitQueueHead): number {
  return wakeUpCommon(head, TASK_INTERRUPTIBLE, 1);
}

export function wakeUpInterruptibleNr(head: WaitQueueHead, nr: number): number {
  return wakeUpCommon(head, TASK_INTERRUPTIBLE, nr);
}

export function wakeUpInterruptibleAll(head: WaitQueueHead): number {
  return wakeUpCommon(head, TASK_INTERRUPTIBLE, 0);
}

/** A condition that is waited for: called in the waiting task, often; it may not sleep. */
export type WaitCondition = () => boolean;

/** Sleeps in state D until `condition` holds; it is looked at first, and at each wake-up (wait_event). Process context. */
export const waitEvent = effect(function* waitEvent(head: WaitQueueHead, condition: WaitCondition) {
  yield* waitCommon(head, condition, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, false);
});

/** As {@link waitEvent}, at most `jiffies`: what is left of them, at least 1; 0 when it does not hold after them. */
export const waitEventTimeout = effect(function* waitEventTimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  jiffies: number,
) {
  return yield* waitCommon(head, condition, TASK_UNINTERRUPTIBLE, jiffies, false);
});

/** As {@link waitEvent}, in state S: 0, or -512 (`-ERESTARTSYS`) when a signal comes (wait_event_interruptible). */
export const waitEventInterruptible = effect(function* waitEventInterruptible(
  head: WaitQueueHead,
  condition: WaitCondition,
) {
  return Math.min(yield* waitCommon(head, condition, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, false), 0);
});

/** As {@link waitEventTimeout}, in state S: also -512 (`-ERESTARTSYS`) when a signal comes. */
export const waitEventInterruptibleTimeout = effect(function* waitEventInterruptibleTimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  jiffies: number,
) {
  return yield* waitCommon(head, condition, TASK_INTERRUPTIBLE, jiffies, false);
});

/** As {@link waitEvent}: 0, or -512 (`-ERESTARTSYS`) when a fatal signal comes (wait_event_killable). */
export const waitEventKillable = effect(function* waitEventKillable(head: WaitQueueHead, condition: WaitCondition) {
  return Math.min(yield* waitCommon(head, condition, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, false), 0);
});

/** As {@link waitEventTimeout}: also -512 (`-ERESTARTSYS`) when a fatal signal comes. */
export const waitEventKillableTimeout = effect(function* waitEventKillableTimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  jiffies: number,
) {
  return yield* waitCommon(head, condition, TASK_KILLABLE, jiffies, false);
});

/** As {@link waitEvent}, in state I: not counted as stuck (wait_event_idle). */
export const waitEventIdle = effect(function* waitEventIdle(head: WaitQueueHead, condition: WaitCondition) {
  yield* waitCommon(head, condition, TASK_IDLE, MAX_SCHEDULE_TIMEOUT, false);
});

/** As {@link waitEventTimeout}, in state I. */
export const waitEventIdleTimeout = effect(function* waitEventIdleTimeout(
  head: WaitQueueHead,
  condition: WaitCondition,
  jiffies: number,
) {
  return yield* waitCommon(head, condition, TASK_IDLE, jiffies, false);
});

/** As {@link waitEvent}, exclusively: a wake-up wakes one of those that wait so (wait_event_exclusive_cmd). */
export const waitEventExclusive = effect(function* waitEventExclusive(head: WaitQueueHead, condition: WaitCondition) {
  yield* waitCommon(head, condition, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, true);
});

/** As {@link waitEventInterruptible}, exclusively (wait_event_interruptible_exclusive). */
export const waitEventInterruptibleExclusive = effect(function* waitEventInterruptibleExclusive(
  head: WaitQueueHead,
  condition: WaitCondition,
) {
  return Math.min(yield* waitCommon(head, condition, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT, true), 0);
});

/** As {@link waitEventKillable}, exclusively (wait_event_killable_exclusive). */
export const waitEventKillableExclusive = effect(function* waitEventKillableExclusive(
  head: WaitQueueHead,
  condition: WaitCondition,
) {
  return Math.min(yield* waitCommon(head, condition, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT, true), 0);
});

function* waitCommon(
  head: WaitQueueHead,
  condition: WaitCondition,
  state: number,
  jiffies: number,
  exclusive: boolean,
): Coroutine<number> {
  mightSleep('wait_event');
  return yield* waitLoop(head, condition, state, jiffies, exclusive, scheduleTimeout);
}

/**
 * The loop of all waits (___wait_event): what is left of the time when the condition holds, at least 1; 0 when it is over;
 * -ERESTARTSYS. `sleep` gets what is left, and gives what is left afterwards.
 */
export function* waitLoop(
  head: WaitQueueHead,
  condition: WaitCondition,
  state: number,
  time: number,
  exclusive: boolean,
  sleep: (left: number) => Coroutine<number>,
): Coroutine<number> {
  if (condition()) return Math.max(time, 1);
  if (time === 0) return 0;
  const entry = new WaitQueueEntry();
  let left = time;
  try {
    for (;;) {
      const interrupted = prepareToWaitEvent(head, entry, state, exclusive);
      if (condition()) return Math.max(left, 1);
      if (left === 0) return 0;
      if (interrupted !== 0) return interrupted;
      left = yield* sleep(left);
    }
  } finally {
    finishWait(head, entry);
  }
}
