// How a kernel thread ends in the midst of what it does (kthread_exit in kernel/kthread.c).
import { type Completion, complete } from './completion.js';
import type { Task } from './task.js';

/** On its way from where a thread ends to the end of its task; nobody but the task may keep it. */
export class KthreadExit extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super('kthread_complete_and_exit() in what is no kernel thread, or in a catch that keeps what it does not know');
    this.result = result;
  }
}

/**
 * Ends the calling kthread, behind everything that its callers would have done; their `finally` blocks run. Process context,
 * in a kthread or in the thread function of an interrupt, which then has no thread any more
 * (kthread_complete_and_exit).
 *
 * @param completion is completed before; null for none
 * @param result what kthread_stop() returns
 */
export function kthreadCompleteAndExit(completion: Completion | null, result: unknown): never {
  if (completion !== null) complete(completion);
  throw new KthreadExit(result);
}

/** How a task has ended whose body has returned `value`, or thrown it: with a value, or with an error to be reported. */
export function endTask(task: Task, value: unknown, thrown: boolean): boolean {
  const exits = value instanceof KthreadExit;
  if (thrown && !exits) task.exitError = value;
  else task.exitValue = exits ? value.result : value;
  return thrown && !exits;
}
