// Run queue of one CPU: SCHED_FIFO by priority over a fair share by nice.
import type { Task } from './task.js';

/** Weight of nice 0; each step of nice is a factor of 1.25, as in the kernel's table. */
const NICE_0_WEIGHT = 1024;
const NICE_STEP = 1.25;

/** Share of the CPU that a nice value gives, relative to {@link NICE_0_WEIGHT}. */
function weightOf(nice: number): number {
  return NICE_0_WEIGHT / NICE_STEP ** nice;
}

/** Runnable tasks other than the idle task. The running task stays on it, at the head of its priority. */
export class RunQueue {
  /** By priority, then by arrival. */
  readonly #fifo: Task[] = [];
  /** By vruntime, then by arrival. */
  readonly #fair: Task[] = [];
  #minVruntime = 0;

  get length(): number {
    return this.#fifo.length + this.#fair.length;
  }

  /** The fair tasks waiting or running. */
  get fairLength(): number {
    return this.#fair.length;
  }

  /** The task that should run; `undefined` for idle. */
  pick(): Task | undefined {
    return this.#fifo[0] ?? this.#fair[0];
  }

  /** Adds a task behind its equals; `head` puts a preempted FIFO task back in front of them. */
  enqueue(task: Task, head = false): void {
    task.onRq = true;
    if (task.policy === 'SCHED_FIFO') {
      const queue = this.#fifo;
      let at = queue.length;
      while (at > 0 && this.#comesBefore(task, queue[at - 1], head)) at--;
      queue.splice(at, 0, task);
      return;
    }
    task.vruntime = Math.max(task.vruntime, this.#minVruntime);
    this.#insertFair(task);
  }

  dequeue(task: Task): void {
    task.onRq = false;
    const queue = task.policy === 'SCHED_FIFO' ? this.#fifo : this.#fair;
    const at = queue.indexOf(task);
    if (at >= 0) queue.splice(at, 1);
  }

  /** Accounts `ns` of running to a task; a fair one moves to its new place. */
  charge(task: Task, ns: number): void {
    task.sumExecNs += ns;
    if (task.policy === 'SCHED_FIFO' || ns === 0) return;
    task.vruntime += (ns * NICE_0_WEIGHT) / weightOf(task.nice);
    const at = this.#fair.indexOf(task);
    if (at < 0) return;
    this.#fair.splice(at, 1);
    this.#insertFair(task);
    this.#minVruntime = Math.max(this.#minVruntime, this.#fair[0]?.vruntime ?? 0);
  }

  #insertFair(task: Task): void {
    const queue = this.#fair;
    let at = queue.length;
    while (at > 0 && task.vruntime < (queue[at - 1]?.vruntime ?? 0)) at--;
    queue.splice(at, 0, task);
  }

  #comesBefore(task: Task, other: Task | undefined, head: boolean): boolean {
    if (other === undefined) return false;
    return task.prio < other.prio || (head && task.prio === other.prio);
  }
}
