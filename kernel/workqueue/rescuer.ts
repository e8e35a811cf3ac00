// Rescuers: one thread for each WQ_MEM_RECLAIM queue, which runs its items when no worker can be made (rescuer_thread).
import { type ListHead, listAddTail, listDelInit, listMoveTail } from '../lib/list.js';
import { setCpusAllowedPtr } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { HIGHPRI_NICE_LEVEL } from './flags.js';
import type { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Work } from './work.js';
import { WORKER_UNBOUND, Worker } from './worker.js';
import type { Workqueue } from './workqueue.js';

/** Items of one pool that it runs before it looks whether another pool calls too. */
const RESCUER_BATCH = 16;

/** The rescuer of a queue. It never counts as running. */
export class Rescuer extends Worker {
  readonly wq: Workqueue;
  /** The part of its queue that it helps now. */
  #pwq: PoolWorkqueue | undefined;
  #count = 0;
  #mustMove = false;

  constructor(wq: Workqueue, pool: WorkerPool) {
    super(pool, 0);
    this.wq = wq;
    this.flags &= ~WORKER_UNBOUND;
  }

  override get name(): string {
    return `kworker/R-${this.wq.name}`;
  }

  override get rescues(): string {
    return this.wq.name;
  }

  override start(): void {
    const { machine } = this.pool;
    const cpusAllowed = this.wq.effectiveCpumask(machine);
    const task = machine.create(this.name, () => this.thread(), { nice: HIGHPRI_NICE_LEVEL, cpusAllowed });
    this.task = task;
    task.worker = this;
    wakeUpProcess(task);
  }

  /** An item of the queue waits, and its pool cannot make a worker (send_mayday). */
  mayday(pwq: PoolWorkqueue): void {
    if (!pwq.maydayNode.empty) return;
    pwq.get();
    listAddTail(pwq.maydayNode, this.wq.maydays);
    if (this.task !== undefined) wakeUpProcess(this.task);
    pwq.stats.mayday++;
  }

  override get ends(): boolean {
    return this.task?.shouldStop === true && this.wq.maydays.empty;
  }

  protected override wokeUp(): void {}

  protected override goIdle(): void {}

  protected override detour(): Coroutine<void> | undefined {
    if (!this.#mustMove) return undefined;
    this.#mustMove = false;
    return move();
  }

  override next(): Work | undefined {
    for (;;) {
      const work = this.scheduled.first;
      if (work !== undefined) return work;
      if (this.#pwq !== undefined) {
        if (this.#goesOnWith(this.#pwq)) continue;
        this.#leave(this.#pwq);
      }
      const pwq = this.wq.maydays.first;
      if (pwq === undefined) return undefined;
      this.#join(pwq);
      if (this.#mustMove) return undefined;
    }
  }

  /** Comes to the help of a pool, on its CPUs (worker_attach_to_pool). */
  #join(pwq: PoolWorkqueue): void {
    const { pool } = pwq;
    const { task } = this;
    listDelInit(pwq.maydayNode);
    this.#pwq = pwq;
    this.#count = 0;
    this.pool = pool;
    if (pool.disassociated) this.flags |= WORKER_UNBOUND;
    pool.workers.add(this);
    if (task === undefined) return;
    setCpusAllowedPtr(task, pool.allowedCpus);
    this.#mustMove = !task.allows(task.cpu.id);
  }

  /** Takes its next item there, unless it has run many and another pool calls. */
  #goesOnWith(pwq: PoolWorkqueue): boolean {
    if (this.#count > RESCUER_BATCH && !this.wq.maydays.empty && pwq.nrActive > 0 && pwq.pool.needToCreateWorker) {
      if (pwq.maydayNode.empty) {
        pwq.get();
        listAddTail(pwq.maydayNode, this.wq.maydays);
      }
      return false;
    }
    this.#count++;
    return this.#assign(pwq);
  }

  /** The next item of the queue on the pool's list becomes its own (assign_rescuer_work). */
  #assign(pwq: PoolWorkqueue): boolean {
    const { pool, maydayCursor: cursor } = pwq;
    if (pwq.nrActive === 0 || !pool.needToCreateWorker) return false;
    let node = cursor.entry.empty ? pool.worklist.next : cursor.entry.next;
    while (node !== pool.worklist) {
      const { owner } = node;
      if (owner?.pwq !== pwq) {
        node = node.next;
        continue;
      }
      const after = behindLinked(owner);
      if (pool.assignWork(owner, this)) {
        pwq.stats.rescued++;
        listMoveTail(cursor.entry, after);
        return true;
      }
      node = after;
    }
    return false;
  }

  /** Leaves a pool (worker_detach_from_pool). */
  #leave(pwq: PoolWorkqueue): void {
    const { pool } = pwq;
    if (!pwq.maydayCursor.entry.empty && pwq.maydayNode.empty) listDelInit(pwq.maydayCursor.entry);
    // Its own part in the pool's work is over, and somebody has to go on.
    pool.kick();
    pool.workers.delete(this);
    this.#pwq = undefined;
    this.flags &= ~WORKER_UNBOUND;
    if (this.task !== undefined) setCpusAllowedPtr(this.task, pool.machine.workqueues.unboundCpumask);
    pwq.put();
  }
}

/** Lets the scheduler take the caller to a CPU that it may run on. */
function* move(): Coroutine<void> {
  yield Request.schedule;
}

/** The node behind an item and its barriers. */
function behindLinked(work: Work): ListHead<Work> {
  let at = work;
  for (;;) {
    const { owner } = at.entry.next;
    if (!at.linked || owner === undefined) return at.entry.next;
    at = owner;
  }
}
