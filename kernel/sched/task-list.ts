// TaskList: runnable tasks in order, linked through themselves, so that no task that comes or goes costs an object.
import type { Task } from './task.js';

/** Tasks by key, lowest first; equal ones in the order in which they came. A task is on one list at a time. */
export class TaskList {
  length = 0;
  first: Task | undefined;
  #last: Task | undefined;

  /** Puts a task that is on no list behind those with a lower or the same key. */
  insert(task: Task, key: number): void {
    task.rqKey = key;
    this.length++;
    const before = this.#placeFor(key);
    const after = before === undefined ? this.first : before.nextOnRq;
    task.previousOnRq = before;
    task.nextOnRq = after;
    if (before === undefined) this.first = task;
    else before.nextOnRq = task;
    if (after === undefined) this.#last = task;
    else after.previousOnRq = task;
  }

  /** Takes a task off that is on this list. */
  remove(task: Task): void {
    const { previousOnRq: before, nextOnRq: after } = task;
    this.length--;
    if (before === undefined) this.first = after;
    else before.nextOnRq = after;
    if (after === undefined) this.#last = before;
    else after.previousOnRq = before;
    task.previousOnRq = undefined;
    task.nextOnRq = undefined;
  }

  /** The task to stand behind; `undefined` for the front. Whoever ran long goes to the end, whoever slept near the front. */
  #placeFor(key: number): Task | undefined {
    const last = this.#last;
    if (last === undefined || last.rqKey <= key) return last;
    let before: Task | undefined;
    for (let at = this.first; at !== undefined && at.rqKey <= key; at = at.nextOnRq) before = at;
    return before;
  }
}
