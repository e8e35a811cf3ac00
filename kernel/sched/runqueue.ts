// Run queue of one CPU: SCHED_FIFO by priority over a fair share by nice.
import type { Task } from './task.js';

/** Weight of nice 0; each step of nice is a factor of 1.25, as in the kernel's table. */
const NICE_0_WEIGHT = 1024;
const NICE_STEP = 1.25;

/** Time after which an equal fair task gets its turn: the kernel's base slice on 4 to 8 CPUs, 0.75 ms × (1 + log2 CPUs). */
const FAIR_SLICE_NS = 3_000_000;

/** Share of the CPU that a nice value gives, relative to {@link NICE_0_WEIGHT}. */
function weightOf(nice: number): number {
  return NICE_0_WEIGHT / NICE_STEP ** nice;
}

/**
 * Runnable tasks other than the idle task; the running one is among them.
 *
 * A FIFO task keeps its place, the head of its priority, while it is preempted. A fair task keeps its turn until its
 * slice is used up, whoever of SCHED_FIFO comes in between (the kernel's RUN_TO_PARITY).
 */
export class RunQueue {
  /** By priority, then by arrival. */
  readonly #fifo: Task[] = [];
  /** By vruntime, then by arrival. */
  readonly #fair: Task[] = [];
  #minVruntime = 0;
  #turn: Task | undefined;
  #turnLeftNs = 0;

  get length(): number {
    return this.#fifo.length + this.#fair.length;
  }

  /** The fair tasks waiting or running. */
  get fairLength(): number {
    return this.#fair.length;
  }

  /** The most urgent FIFO task. */
  get fifoFirst(): Task | undefined {
    return this.#fifo[0];
  }

  /** Where a fair task starts that comes from sleep or from another CPU. */
  get minVruntime(): number {
    return this.#minVruntime;
  }

  /** What is left of the fair slice that is under way, in ns of running. */
  get turnLeftNs(): number {
    return this.#turnLeftNs;
  }

  /** The task that should run; `undefined` for idle. */
  pick(): Task | undefined {
    const first = this.#fifo[0];
    if (first !== undefined) return first;
    if (this.#turn === undefined || this.#turnLeftNs <= 0) {
      this.#turn = this.#fair[0];
      this.#turnLeftNs = FAIR_SLICE_NS;
    }
    return this.#turn;
  }

  /** Adds a task behind its equals. */
  enqueue(task: Task): void {
    task.onRq = true;
    if (task.policy === 'SCHED_FIFO') {
      const queue = this.#fifo;
      let at = queue.length;
      while (at > 0 && task.prio < (queue[at - 1]?.prio ?? 0)) at--;
      queue.splice(at, 0, task);
      return;
    }
    task.vruntime = Math.max(task.vruntime, this.#minVruntime);
    this.#insertFair(task);
  }

  dequeue(task: Task): void {
    task.onRq = false;
    if (this.#turn === task) this.#turn = undefined;
    const queue = task.policy === 'SCHED_FIFO' ? this.#fifo : this.#fair;
    const at = queue.indexOf(task);
    if (at >= 0) queue.splice(at, 1);
  }

  /** Lets its equals run before `task`. */
  yieldTask(task: Task): void {
    this.dequeue(task);
    if (task.policy === 'SCHED_NORMAL') task.vruntime = Math.max(task.vruntime, this.#fair[0]?.vruntime ?? 0);
    this.enqueue(task);
  }

  /** Accounts `ns` of running to a task; a fair one moves to its new place. */
  charge(task: Task, ns: number): void {
    task.sumExecNs += ns;
    if (task.policy === 'SCHED_FIFO' || ns === 0) return;
    if (task === this.#turn) this.#turnLeftNs -= ns;
    task.vruntime += (ns * NICE_0_WEIGHT) / weightOf(task.nice);
    const at = this.#fair.indexOf(task);
    if (at < 0) return;
    this.#fair.splice(at, 1);
    this.#insertFair(task);
    this.#minVruntime = Math.max(this.#minVruntime, this.#fair[0]?.vruntime ?? 0);
  }

  /** A task that waits here while `running` has the CPU, and may run on `cpuId`; the first of SCHED_FIFO, or of any policy. */
  waiting(running: Task, cpuId: number, fifoOnly: boolean): Task | undefined {
    for (const task of this.#fifo) if (task !== running && task.allows(cpuId)) return task;
    if (fifoOnly) return undefined;
    for (const task of this.#fair) if (task !== running && task.allows(cpuId)) return task;
    return undefined;
  }

  #insertFair(task: Task): void {
    const queue = this.#fair;
    let at = queue.length;
    while (at > 0 && task.vruntime < (queue[at - 1]?.vruntime ?? 0)) at--;
    queue.splice(at, 0, task);
  }
}
