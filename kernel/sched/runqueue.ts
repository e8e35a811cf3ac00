// Run queue of one CPU: SCHED_FIFO by priority over a fair share by nice.

import type { Task } from './task.js';
import { TaskList } from './task-list.js';

/** Each step of nice is a factor of 1.25 in weight, as in the kernel's table. */
const NICE_STEP = 1.25;

/** Of the first nice. */
const NICE_MIN = -20;
/** Of each nice from {@link NICE_MIN} on: to raise to a power costs more than all else that a pick does. */
const NICE_FACTORS = Float64Array.from({ length: 40 }, (_, i) => NICE_STEP ** (NICE_MIN + i));

/** Time after which an equal fair task gets its turn: the kernel's base slice on 4 to 8 CPUs, 0.75 ms × (1 + log2 CPUs). */
const FAIR_SLICE_NS = 3_000_000;

/**
 * Runnable tasks other than the idle task; the running one is among them.
 *
 * A FIFO task keeps its place, the head of its priority, while it is preempted. A fair task keeps its turn until its
 * slice is used up, whoever of SCHED_FIFO comes in between (the kernel's RUN_TO_PARITY).
 */
export class RunQueue {
  /** By priority, then by arrival. */
  readonly #fifo = new TaskList();
  /** By vruntime, then by arrival. */
  readonly #fair = new TaskList();
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
    return this.#fifo.first;
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
    const { first } = this.#fifo;
    if (first !== undefined) return first;
    if (this.#turn === undefined || this.#turnLeftNs <= 0) {
      this.#turn = this.#nextFair();
      this.#turnLeftNs = FAIR_SLICE_NS;
    }
    return this.#turn;
  }

  /** Of the fair tasks that have had no more than their share, the one whose slice would be over first (pick_eevdf). */
  #nextFair(): Task | undefined {
    const { first } = this.#fair;
    if (first?.nextOnRq === undefined) return first;
    const share = this.#averageVruntime(first);
    let next: Task = first;
    for (
      let task: Task | undefined = first.nextOnRq;
      task !== undefined && task.vruntime <= share;
      task = task.nextOnRq
    ) {
      if (deadline(task) < deadline(next)) next = task;
    }
    return next;
  }

  /** Weighted by nice; sums are of what lies beyond the first one's, which keeps them small. */
  #averageVruntime(first: Task): number {
    let beyond = 0;
    let weights = 0;
    for (let task: Task | undefined = first; task !== undefined; task = task.nextOnRq) {
      const weight = 1 / factor(task.nice);
      beyond += (task.vruntime - first.vruntime) * weight;
      weights += weight;
    }
    return first.vruntime + beyond / weights;
  }

  /** Adds a task behind its equals. */
  enqueue(task: Task): void {
    task.onRq = true;
    if (task.policy === 'SCHED_FIFO') {
      this.#fifo.insert(task, task.prio);
      return;
    }
    if (task.vruntime < this.#minVruntime) task.vruntime = this.#minVruntime;
    this.#fair.insert(task, task.vruntime);
  }

  dequeue(task: Task): void {
    task.onRq = false;
    if (this.#turn === task) this.#turn = undefined;
    (task.policy === 'SCHED_FIFO' ? this.#fifo : this.#fair).remove(task);
  }

  /** Lets its equals run before `task`. */
  yieldTask(task: Task): void {
    this.dequeue(task);
    if (task.policy === 'SCHED_NORMAL') task.vruntime = Math.max(task.vruntime, this.#fair.first?.vruntime ?? 0);
    this.enqueue(task);
  }

  /** Accounts `ns` of running to a task; a fair one moves to its new place. */
  charge(task: Task, ns: number): void {
    if (ns === 0) return;
    task.sumExecNs += ns;
    if (task.policy === 'SCHED_FIFO') return;
    if (task === this.#turn) this.#turnLeftNs -= ns;
    task.vruntime += ns * factor(task.nice);
    if (!task.onRq) return;
    this.#fair.remove(task);
    this.#fair.insert(task, task.vruntime);
    this.#minVruntime = Math.max(this.#minVruntime, this.#fair.first?.vruntime ?? 0);
  }

  /** A task that waits here while `running` has the CPU, and may run on `cpuId`; the first of SCHED_FIFO, or of any policy. */
  waiting(running: Task, cpuId: number, fifoOnly: boolean): Task | undefined {
    const fifo = firstFor(this.#fifo, running, cpuId);
    return fifo === undefined && !fifoOnly ? firstFor(this.#fair, running, cpuId) : fifo;
  }
}

/** How much faster vruntime goes than time. */
function factor(nice: number): number {
  return NICE_FACTORS[nice - NICE_MIN] ?? NICE_STEP ** nice;
}

/** When a task would have used up a slice, in vruntime. */
function deadline({ vruntime, nice }: Task): number {
  return vruntime + FAIR_SLICE_NS * factor(nice);
}

function firstFor(list: TaskList, running: Task, cpuId: number): Task | undefined {
  let task = list.first;
  while (task !== undefined && (task === running || !task.allows(cpuId))) task = task.nextOnRq;
  return task;
}
