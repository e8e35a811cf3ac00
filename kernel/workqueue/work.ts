// Work items, and the queues that they are put on (struct work_struct, struct workqueue_struct).
import { KernelError } from '../errno.js';
import type { Process } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import type { Task } from '../sched/task.js';

/** Flags of a workqueue (include/linux/workqueue.h), as far as this version has them. */
export const WQ_BH = 1 << 0;
export const WQ_UNBOUND = 1 << 1;
export const WQ_HIGHPRI = 1 << 4;
export const WQ_CPU_INTENSIVE = 1 << 5;

/** max_active of a queue that asks for 0, and the most that any may ask for. */
export const WQ_DFL_ACTIVE = 256;
export const WQ_MAX_ACTIVE = 512;

/**
 * The function of a work item: process context, in a kworker; on a WQ_BH queue softirq context, where it may not sleep.
 * What it returns is not looked at, once it is there.
 */
export type WorkFn = (work: Work) => Process<unknown>;

/** What `workBusy` answers, or-ed (include/linux/workqueue.h). */
export const WORK_BUSY_PENDING = 1 << 0;
export const WORK_BUSY_RUNNING = 1 << 1;

/** A task in flush_work. */
export interface Flush {
  readonly task: Task;
  done: boolean;
}

/** An item that runs, and the kworker at it; in softirq context there is none. */
export interface RunningWork {
  readonly task: Task | undefined;
  readonly currentPwq: PoolWorkqueue | undefined;
  /** Flushes that wait for the item as it runs. */
  readonly flushes: Flush[];
}

/** Where items are queued and run: by kworkers, or in softirq context. */
export interface WorkPool {
  /** Undefined for the unbound ones. */
  readonly cpu: Cpu | undefined;
  insert(work: Work, pwq: PoolWorkqueue): void;
  /** Set while the item runs here. */
  workerRunning(work: Work): RunningWork | undefined;
}

/** A function to be run later in process context (INIT_WORK). Extend it to carry data, where C uses container_of. */
export class Work {
  readonly fn: WorkFn;
  /** Shown in traces and reports. */
  readonly name: string;
  /** Distinguishes items in the trace: counted by the machine where it is queued first; 0 before. */
  number = 0;
  /** Queued, and its function not yet called. */
  pending = false;
  /** The pool where it was queued last, which knows whether it still runs there. */
  pool: WorkPool | undefined;
  /** Flushes that wait for the instance that is queued. */
  flushes: Flush[] = [];

  constructor(fn: WorkFn, name: string = fn.name || 'work') {
    this.fn = fn;
    this.name = name;
  }
}

/** The part of a workqueue in one pool: how many of its items are active there, and which wait for a place (struct pool_workqueue). */
export class PoolWorkqueue {
  readonly wq: Workqueue;
  readonly pool: WorkPool;
  active = 0;
  readonly inactive: Work[] = [];

  constructor(wq: Workqueue, pool: WorkPool) {
    this.wq = wq;
    this.pool = pool;
  }
}

/** A workqueue. Made by `allocWorkqueue`. */
export class Workqueue {
  readonly name: string;
  readonly flags: number;
  readonly maxActive: number;
  readonly pwqs = new Map<WorkPool, PoolWorkqueue>();

  constructor(name: string, flags: number, maxActive: number) {
    if (!Number.isInteger(maxActive) || maxActive < 0 || maxActive > WQ_MAX_ACTIVE) {
      throw new KernelError('EINVAL', `workqueue ${name}: max_active ${maxActive} is not 0 to ${WQ_MAX_ACTIVE}`);
    }
    if ((flags & WQ_BH) !== 0 && ((flags & ~(WQ_BH | WQ_HIGHPRI)) !== 0 || maxActive !== 0)) {
      throw new KernelError('EINVAL', `workqueue ${name}: WQ_BH goes with WQ_HIGHPRI only, and with max_active 0`);
    }
    this.name = name;
    this.flags = flags;
    this.maxActive = maxActive === 0 ? WQ_DFL_ACTIVE : maxActive;
  }

  get unbound(): boolean {
    return (this.flags & WQ_UNBOUND) !== 0;
  }

  pwqOf(pool: WorkPool): PoolWorkqueue {
    let pwq = this.pwqs.get(pool);
    if (pwq === undefined) {
      pwq = new PoolWorkqueue(this, pool);
      this.pwqs.set(pool, pwq);
    }
    return pwq;
  }
}
