// Worker pools: kworkers that share a list of work, as many at once as it takes to keep their CPU busy (kernel/workqueue.c).
import type { Machine } from '../machine.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { callProcess, finish } from '../sched/effect.js';
import { TASK_IDLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { Tracepoint } from '../trace/ring.js';
import type { Flush, PoolWorkqueue, RunningWork, Work, WorkPool } from './work.js';

/** A work item on a pool's list, with the queue that put it there. */
interface Entry {
  readonly work: Work;
  readonly pwq: PoolWorkqueue;
}

const HIGHPRI_NICE = -20;

/** One kworker. The scheduler tells it when its task goes to sleep and comes back. */
class Worker implements RunningWork {
  readonly pool: WorkerPool;
  readonly task: Task;
  /** The item that it runs now, and for which queue. */
  currentWork: Work | undefined;
  currentPwq: PoolWorkqueue | undefined;
  /** Flushes that wait for that item. */
  flushes: Flush[] = [];
  /** Items that it alone may run, because it runs them already. */
  readonly scheduled: Entry[] = [];
  /** It counts in the pool's nrRunning while it works and does not sleep. */
  working = false;
  sleeping = false;

  constructor(pool: WorkerPool, id: number) {
    this.pool = pool;
    const { cpu, highpri } = pool;
    const name = cpu === undefined ? `kworker/u${pool.id}:${id}` : `kworker/${cpu.id}:${id}${highpri ? 'H' : ''}`;
    this.task = pool.machine.spawn(name, () => this.#loop(), {
      nice: highpri ? HIGHPRI_NICE : 0,
      ...(cpu === undefined ? {} : { cpusAllowed: 1 << cpu.id }),
    });
    this.task.worker = this;
  }

  /** The task is about to leave the CPU, not runnable (wq_worker_sleeping). */
  goesToSleep(): void {
    if (!this.working || this.sleeping) return;
    this.sleeping = true;
    this.pool.nrRunning--;
    this.pool.wakeIfNeeded();
  }

  /** The task is on the CPU again (wq_worker_running). */
  comesBack(): void {
    if (!this.sleeping) return;
    this.sleeping = false;
    this.pool.nrRunning++;
  }

  *#loop(): Coroutine<void> {
    const { pool, task } = this;
    for (;;) {
      if (pool.needsWorker()) {
        pool.leaveIdle(this);
        this.working = true;
        pool.nrRunning++;
        do {
          const entry = this.scheduled.shift() ?? pool.take();
          if (entry === undefined) break;
          yield* this.#run(entry);
        } while (this.scheduled.length > 0 || pool.keepWorking());
        this.working = false;
        pool.nrRunning--;
      }
      pool.enterIdle(this);
      task.state = TASK_IDLE;
      yield Request.schedule;
      task.state = TASK_RUNNING;
    }
  }

  *#run({ work, pwq }: Entry): Coroutine<void> {
    const { pool } = this;
    const other = pool.workerRunning(work);
    if (other !== undefined) {
      other.scheduled.push({ work, pwq });
      return;
    }
    this.flushes = work.flushes;
    work.flushes = [];
    work.pending = false;
    this.currentWork = work;
    this.currentPwq = pwq;
    pool.ensureSpare();
    // Only unbound workers are let through here: they do not count as running, so one wakes the next.
    pool.wakeIfNeeded();
    const nameId = pool.machine.trace.intern(work.name);
    const locksBefore = this.task.heldLocks.length;
    thisCpu().trace(Tracepoint.workqueueExecuteStart, work.number, 0, nameId);
    try {
      const result = callProcess(work.fn, work);
      if (result !== undefined) yield* finish(result);
    } catch (error) {
      pool.machine.oops(`work ${work.name} of workqueue ${pwq.wq.name}`, error);
    }
    thisCpu().trace(Tracepoint.workqueueExecuteEnd, work.number, 0, nameId);
    this.#checkLeaks(work, locksBefore);
    this.currentWork = undefined;
    this.currentPwq = undefined;
    for (const flush of this.flushes) {
      flush.done = true;
      wakeUpProcess(flush.task);
    }
    pool.complete(pwq);
    yield Request.condResched;
  }

  /** Reports an item that left preemption off or locks held, as process_one_work() does; nothing is put right. */
  #checkLeaks(work: Work, locksBefore: number): void {
    const { comm, pid, heldLocks } = this.task;
    const { preemptCount } = thisCpu();
    if (preemptCount !== 0 || heldLocks.length !== locksBefore) {
      const { machine } = this.pool;
      machine.bug(
        `workqueue leaked atomic, lock or RCU: ${comm}[${pid}]`,
        `     preempt=0x${(preemptCount >>> 0).toString(16).padStart(8, '0')} lock=${locksBefore}->${heldLocks.length} RCU=0->0 workfn=${work.name}`,
        ...(machine.lockdep?.heldLines(this.task) ?? []),
      );
    }
    mightSleep('process_one_work');
  }
}

/** The workers of one CPU and priority, or the unbound ones. */
export class WorkerPool implements WorkPool {
  readonly machine: Machine;
  readonly id: number;
  readonly cpu: Cpu | undefined;
  readonly highpri: boolean;
  /** Workers that are on a CPU or runnable with work in hand. */
  nrRunning = 0;
  readonly #list: Entry[] = [];
  readonly #workers: Worker[] = [];
  /** Latest idle last: it is woken first, its cache is warm. */
  readonly #idle: Worker[] = [];

  constructor(machine: Machine, id: number, cpu: Cpu | undefined, highpri: boolean) {
    this.machine = machine;
    this.id = id;
    this.cpu = cpu;
    this.highpri = highpri;
  }

  /** Adds an item, at once or when its queue has room for one more active. */
  insert(work: Work, pwq: PoolWorkqueue): void {
    work.pending = true;
    work.pool = this;
    if (pwq.active >= pwq.wq.maxActive) {
      pwq.inactive.push(work);
      return;
    }
    pwq.active++;
    this.#list.push({ work, pwq });
    this.wakeIfNeeded();
  }

  take(): Entry | undefined {
    return this.#list.shift();
  }

  /** An item of `pwq` is done: the next one of its queue may become active. */
  complete(pwq: PoolWorkqueue): void {
    pwq.active--;
    const next = pwq.inactive.shift();
    if (next === undefined) return;
    pwq.active++;
    this.#list.push({ work: next, pwq });
  }

  workerRunning(work: Work): Worker | undefined {
    return this.#workers.find((worker) => worker.currentWork === work);
  }

  /** There is work, and nobody of the pool is at it. */
  needsWorker(): boolean {
    return this.#list.length > 0 && (this.cpu === undefined || this.nrRunning === 0);
  }

  /** The caller, who is running, should take one more item. */
  keepWorking(): boolean {
    return this.#list.length > 0 && (this.cpu === undefined || this.nrRunning <= 1);
  }

  wakeIfNeeded(): void {
    if (!this.needsWorker()) return;
    const worker = this.#idle[this.#idle.length - 1];
    if (worker !== undefined) wakeUpProcess(worker.task);
    else if (this.#workers.length === 0) this.#create();
  }

  /** Keeps one idle worker in reserve for the time when the working one sleeps. */
  ensureSpare(): void {
    if (this.#idle.length === 0) this.#create();
  }

  enterIdle(worker: Worker): void {
    if (!this.#idle.includes(worker)) this.#idle.push(worker);
  }

  leaveIdle(worker: Worker): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #create(): void {
    const worker = new Worker(this, this.#workers.length);
    this.#workers.push(worker);
    this.#idle.push(worker);
  }
}
