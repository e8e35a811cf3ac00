// A workqueue in one pool: its items there, how many are active, and which wait for a place (struct pool_workqueue).
import { ListHead, listAddTail, listDelInit, listMoveTail } from '../lib/list.js';
import { complete } from '../sched/completion.js';
import { WORK_NR_COLORS, WQ_DFL_MIN_ACTIVE, WQ_UNBOUND } from './flags.js';
import type { WorkerPool } from './pool.js';
import { moveLinkedWorks, Work } from './work.js';
import type { Workqueue } from './workqueue.js';

/** Places for active items that the parts of an unbound queue share (struct wq_node_nr_active). The machine is one node. */
export class NodeNrActive {
  max = WQ_DFL_MIN_ACTIVE;
  nr = 0;
  /** Those that wait for a place, in turn. */
  readonly pendingPwqs = new ListHead<PoolWorkqueue>();

  tryInc(): boolean {
    if (this.nr >= this.max) return false;
    this.nr++;
    return true;
  }
}

/** What happened to the items of a queue in one pool, counted since it was made (enum pool_workqueue_stats). */
export class PwqStats {
  started = 0;
  completed = 0;
  /** Items that hogged the CPU and were treated as WQ_CPU_INTENSIVE from then on. */
  cpuIntensive = 0;
  /** Workers woken because one slept, or hogged the CPU. */
  cmWakeup = 0;
  /** Workers that were brought back to the CPUs of their pool. */
  repatriated = 0;
  /** Calls for the rescuer, and items that it ran. */
  mayday = 0;
  rescued = 0;
}

/** Not to be called: it marks a place on a pool's list. */
export function maydayCursorFunc(): void {}

export class PoolWorkqueue {
  readonly wq: Workqueue;
  readonly pool: WorkerPool;
  readonly stats = new PwqStats();
  /** What new items get, and what a flush waits for here; -1 for none. */
  workColor = 0;
  flushColor = -1;
  /** Items queued or running, by colour, barriers included. */
  readonly nrInFlight: number[] = new Array<number>(WORK_NR_COLORS).fill(0);
  /** One for being in use by the queue, and one for each item and barrier. */
  refcnt = 1;
  /** Items that count against max_active: on the pool's list, or running. */
  nrActive = 0;
  /** Items beyond max_active, in order. */
  readonly inactiveWorks = new ListHead<Work>();
  /** Of an ordered queue: nothing runs before an older part of it is empty. */
  plugged = false;
  /** Known to its queue. */
  linked = false;
  readonly pendingNode = new ListHead<PoolWorkqueue>(this);
  readonly maydayNode = new ListHead<PoolWorkqueue>(this);
  #maydayCursor: Work | undefined;

  constructor(wq: Workqueue, pool: WorkerPool) {
    this.wq = wq;
    this.pool = pool;
  }

  /** Marks how far the rescuer has come on the pool's list. */
  get maydayCursor(): Work {
    if (this.#maydayCursor === undefined) {
      this.#maydayCursor = new Work(maydayCursorFunc, 'mayday_cursor_func');
      this.#maydayCursor.pwq = this;
    }
    return this.#maydayCursor;
  }

  /** Nothing is active or waits for it. */
  get isEmpty(): boolean {
    return this.nrActive === 0 && this.inactiveWorks.empty;
  }

  get(): void {
    this.refcnt++;
  }

  /** Gives up one reference; the last one has it taken apart, by a task (put_pwq). */
  put(): void {
    if (--this.refcnt === 0) this.pool.machine.workqueues.release(this);
  }

  /** Puts an item that is pending on a list in front of `next` (insert_work). */
  insert(work: Work, next: ListHead<Work>): void {
    work.pwq = this;
    work.pool = this.pool;
    listAddTail(work.entry, next);
    this.refcnt++;
  }

  /**
   * Takes a place for one more active item; false when max_active is reached (pwq_tryinc_nr_active).
   *
   * @param fill max_active may have grown: not only as many as went before
   */
  tryIncNrActive(fill: boolean): boolean {
    const { wq } = this;
    if ((wq.flags & WQ_UNBOUND) === 0) {
      if (this.nrActive >= wq.maxActive) return false;
      this.nrActive++;
      return true;
    }
    if (this.plugged) return false;
    // Whoever waits already is served by decNrActive(); nobody overtakes.
    if (!this.pendingNode.empty && !fill) return false;
    const { nodeNrActive } = wq;
    if (nodeNrActive.tryInc()) {
      this.nrActive++;
      return true;
    }
    if (this.pendingNode.empty) listAddTail(this.pendingNode, nodeNrActive.pendingPwqs);
    return false;
  }

  /** The first item that waits becomes active, if there is one and a place for it (pwq_activate_first_inactive). */
  activateFirstInactive(fill: boolean): boolean {
    const work = this.inactiveWorks.first;
    if (work === undefined || !this.tryIncNrActive(fill)) return false;
    this.#activate(work);
    return true;
  }

  #activate(work: Work): void {
    const { pool } = this;
    if (pool.worklist.empty) pool.touch();
    moveLinkedWorks(work, pool.worklist);
    work.inactive = false;
  }

  #decNrActive(): void {
    this.nrActive--;
    const { wq } = this;
    if ((wq.flags & WQ_UNBOUND) === 0) {
      if (!this.inactiveWorks.empty) this.activateFirstInactive(false);
      return;
    }
    const { nodeNrActive } = wq;
    nodeNrActive.nr--;
    if (nodeNrActive.nr < nodeNrActive.max && !nodeNrActive.pendingPwqs.empty) this.#activatePending(nodeNrActive);
  }

  /** Gives the free place to the part of the queue whose turn it is (node_activate_pending_pwq). */
  #activatePending(node: NodeNrActive): void {
    for (let pwq = node.pendingPwqs.first; pwq !== undefined; pwq = node.pendingPwqs.first) {
      const work = pwq.inactiveWorks.first;
      if (work === undefined) {
        listDelInit(pwq.pendingNode);
        continue;
      }
      if (!node.tryInc()) return;
      pwq.nrActive++;
      pwq.#activate(work);
      if (pwq.inactiveWorks.empty) listDelInit(pwq.pendingNode);
      else listMoveTail(pwq.pendingNode, node.pendingPwqs);
      if (pwq.pool !== this.pool) pwq.pool.kick();
      return;
    }
  }

  /** An item is done, or was taken off: makes its place free, and tells who flushes the queue (pwq_dec_nr_in_flight). */
  decNrInFlight(color: number, inactive: boolean): void {
    if (!inactive) this.#decNrActive();
    const left = (this.nrInFlight[color] ?? 0) - 1;
    this.nrInFlight[color] = left;
    if (this.flushColor === color && left === 0) {
      this.flushColor = -1;
      const { wq } = this;
      if (--wq.nrPwqsToFlush === 0 && wq.firstFlusher !== undefined) complete(wq.firstFlusher.done);
    }
    this.put();
  }

  /** Starts a part of an ordered queue whose older parts are empty now (unplug_oldest_pwq). */
  unplug(): void {
    if (!this.plugged) return;
    this.plugged = false;
    if (!this.activateFirstInactive(true)) return;
    // The second call has it wait for the next place, if there are more.
    this.activateFirstInactive(false);
    this.pool.kick();
  }
}
