// Work items: functions to be run later, by kworkers or in softirq context (struct work_struct).
import { KernelError } from '../errno.js';
import { ListHead, listMoveTail } from '../lib/list.js';
import type { LockMap } from '../locking/held.js';
import type { Process } from '../sched/coroutine.js';
import type { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Worker } from './worker.js';

/**
 * The function of a work item: process context, in a kworker; on a WQ_BH queue softirq context, where it may not sleep.
 * What it returns is not looked at, once it is there.
 */
export type WorkFn = (work: Work) => Process<unknown>;

/** Name of an item whose function has none. */
export const NAMELESS_WORK = 'work';

/**
 * A function to be run later (INIT_WORK). Extend it to carry data, where C uses container_of: see {@link OwnedWork},
 * {@link fromWork}.
 *
 * ```ts
 * const report = new Work(function* report() {      // DECLARE_WORK(report, report_fn)
 *   yield* msleep(5);                               // process context: sleeping is allowed
 *   printk('info', `${edges.length} edges`);
 * });
 * const handler = () => {
 *   edges.push(1);
 *   scheduleWork(report);                           // false when it is queued already: one run serves both
 *   return IRQ_HANDLED;
 * };
 * ```
 */
export class Work {
  readonly fn: WorkFn;
  /** Shown in traces and reports. */
  readonly name: string;
  /** Distinguishes items in the trace: counted by the machine where it is queued first; 0 before. */
  number = 0;
  /** `name` in the machine's trace. */
  nameId = 0;
  /** On its way to be run: queued, or about to be by its timer. Ends just before its function is called. */
  pending = false;
  /** By which it is on the list of a pool, a worker or a queue. */
  readonly entry = new ListHead<Work>(this);
  /** While it is queued: by which queue, in which pool. */
  pwq: PoolWorkqueue | undefined;
  /** The pool where it was queued last. */
  pool: WorkerPool | undefined;
  /** Queued, but beyond max_active; always set for a {@link Barrier}, which does not count. */
  inactive = false;
  /** The next one on the list belongs to it: a barrier. */
  linked = false;
  /** Which flush of its queue waits for it. */
  color = 0;
  /** How often it was disabled. */
  disableDepth = 0;
  /** For lockdep: see lock-maps.ts. */
  lockMap: LockMap | undefined;
  /** A worker that runs it now; more than one only when it was put on several queues. */
  runner: Worker | undefined;

  constructor(fn: WorkFn, name: string = fn.name || NAMELESS_WORK) {
    this.fn = fn;
    this.name = name;
  }
}

/**
 * A work item that is a part of something, which its function is given: the typed form of container_of.
 *
 * ```ts
 * class Button {
 *   presses = 0;
 *   readonly work = new OwnedWork(this, (button) => printk('info', `${button.presses} presses`));
 * }
 * ```
 */
export class OwnedWork<T> extends Work {
  readonly owner: T;

  constructor(owner: T, fn: (owner: T, work: Work) => Process<unknown>, name: string = fn.name || NAMELESS_WORK) {
    super((work) => fn(owner, work), name);
    this.owner = owner;
  }
}

/**
 * The item that a work function was given, as the class that it was made of (from_work). Any context.
 *
 * @throws KernelError EINVAL when it is another
 */
export function fromWork<T extends Work>(type: abstract new (...args: never[]) => T, work: Work): T {
  if (work instanceof type) return work;
  throw new KernelError('EINVAL', `from_work: ${work.name} is no ${type.name}`);
}

/** It waits to be run (work_pending). Any context. */
export function workPending(work: Work): boolean {
  return work.pending;
}

/** Moves an item and what is linked to it, its barriers, to the end of a list (move_linked_works). */
export function moveLinkedWorks(work: Work, head: ListHead<Work>): void {
  for (let at: Work | undefined = work; at !== undefined; ) {
    const next: Work | undefined = at.linked ? at.entry.next.owner : undefined;
    listMoveTail(at.entry, head);
    at = next;
  }
}
