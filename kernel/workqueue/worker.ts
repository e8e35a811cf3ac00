// Workers: the kernel threads that run work items, as the scheduler sees them and as their pool does (struct worker).
import { KernelError } from '../errno.js';
import { ListHead, listDelInit } from '../lib/list.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { callProcess, finish } from '../sched/effect.js';
import { TASK_IDLE, type Task, type WorkerHooks } from '../sched/task.js';
import type { LastLook } from '../time/last-look.js';
import { Tracepoint } from '../trace/ring.js';
import { WQ_CPU_INTENSIVE } from './flags.js';
import { CpuHog } from './intensive.js';
import { acquireMaps, releaseMaps } from './lock-maps.js';
import { makeWorker, manageWorkers } from './manage.js';
import type { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Work } from './work.js';

/** Flags of a worker (enum worker_flags). */
export const WORKER_DIE = 1 << 1;
export const WORKER_IDLE = 1 << 2;
/** It is not at an item, nor about to take one. */
export const WORKER_PREP = 1 << 3;
export const WORKER_CPU_INTENSIVE = 1 << 6;
export const WORKER_UNBOUND = 1 << 7;
/** While one of these is set, it does not count in its pool's nrRunning. */
export const WORKER_NOT_RUNNING = WORKER_PREP | WORKER_CPU_INTENSIVE | WORKER_UNBOUND;

function notQueued({ name }: Work): KernelError {
  return new KernelError('EINVAL', `work ${name} is on a list, but not queued`);
}

/** One worker. Its task is undefined in a pool of softirqs. */
export class Worker implements WorkerHooks {
  readonly id: number;
  pool: WorkerPool;
  task: Task | undefined;
  flags = WORKER_PREP;
  /** On its pool's list while it is idle. */
  readonly entry = new ListHead<Worker>(this);
  /** Items that it has taken, or that it alone may run because it runs them already. */
  readonly scheduled = new ListHead<Work>();
  /** What it runs now, for which queue, and what a flush of that queue has to know of it. */
  currentWork: Work | undefined;
  currentPwq: PoolWorkqueue | undefined;
  currentColor = 0;
  #currentInactive = false;
  /** Another worker that runs the same item, for another queue. */
  nextRunner: Worker | undefined;
  /** It sleeps within an item. */
  sleeping = false;
  /** When it went idle last, in jiffies that do not wrap. */
  lastActive = 0;
  /** What it does or did last: the name of the queue, unless the item has said something else. */
  desc = '';
  readonly hog = new CpuHog(this);
  #locksBefore = 0;
  #mustManage = false;
  readonly #look: LastLook;

  constructor(pool: WorkerPool, id: number) {
    this.pool = pool;
    this.#look = pool.machine.look;
    this.id = id;
    if (pool.disassociated) this.flags |= WORKER_UNBOUND;
  }

  /** Name of its task (format_worker_id). */
  get name(): string {
    const { cpu, id, highpri } = this.pool;
    return cpu === undefined ? `kworker/u${id}:${this.id}` : `kworker/${cpu.id}:${this.id}${highpri ? 'H' : ''}`;
  }

  /** The queue that it rescues, if it is a rescuer. */
  get rescues(): string | undefined {
    return undefined;
  }

  /** Makes its task, and lets it run. */
  start(): void {
    const { machine, attrs, allowedCpus } = this.pool;
    const task = machine.create(this.name, () => this.thread(), { nice: attrs.nice, cpusAllowed: allowedCpus });
    this.task = task;
    task.worker = this;
    this.pool.wake(task);
  }

  setFlags(flags: number): void {
    if ((flags & WORKER_NOT_RUNNING) !== 0 && (this.flags & WORKER_NOT_RUNNING) === 0) this.pool.nrRunning--;
    this.flags |= flags;
  }

  clrFlags(flags: number): void {
    const before = this.flags;
    this.flags = before & ~flags;
    if ((before & WORKER_NOT_RUNNING) !== 0 && (this.flags & WORKER_NOT_RUNNING) === 0) this.pool.nrRunning++;
  }

  /** The task is about to leave the CPU, not runnable (wq_worker_sleeping). */
  goesToSleep(): void {
    if ((this.flags & WORKER_NOT_RUNNING) !== 0 || this.sleeping) return;
    this.sleeping = true;
    this.pool.nrRunning--;
    if (this.pool.kick() && this.currentPwq !== undefined) this.currentPwq.stats.cmWakeup++;
  }

  /** Queue and function of the item that it is at, and how that describes itself (print_worker_info). */
  get info(): string | undefined {
    const { currentWork, currentPwq, desc } = this;
    if (currentWork === undefined || currentPwq === undefined) return undefined;
    const { name } = currentPwq.wq;
    return `Workqueue: ${name} ${currentWork.name}${desc === name ? '' : ` (${desc})`}`;
  }

  /** The task is on the CPU again (wq_worker_running). */
  comesBack(): void {
    if (!this.sleeping) return;
    if ((this.flags & WORKER_NOT_RUNNING) === 0) this.pool.nrRunning++;
    this.hog.begin();
    this.sleeping = false;
  }

  /** The task keeps the CPU busy until then, if nobody takes it away. */
  busyUntil(untilNs: number): void {
    if ((this.flags & WORKER_NOT_RUNNING) === 0 && this.currentPwq !== undefined) this.hog.busyUntil(untilNs);
  }

  /** The body of its task (worker_thread, rescuer_thread). All of an item happens in this one generator: it is resumed often. */
  *thread(): Coroutine<void> {
    const task = current();
    task.frame.own = true;
    do {
      this.wokeUp();
      for (;;) {
        const work = this.next();
        if (work === undefined) {
          const detour = this.detour();
          if (detour === undefined) break;
          yield* detour;
          continue;
        }
        const pwq = this.claim(work);
        this.#look.others();
        try {
          const result = callProcess(work.fn, work);
          if (typeof result === 'object' && result !== null) {
            task.frame.own = false;
            yield* finish(result);
          }
        } catch (error) {
          this.oops(work, pwq, error);
        }
        task.frame.own = true;
        this.#look.othersDone();
        this.called(work, pwq);
        if (!task.cpu.undisturbed) yield Request.condResched;
        this.retire();
        if (task.cpu.needResched) yield Request.point;
      }
      this.goIdle();
      task.state = TASK_IDLE;
      if (!this.ends) yield Request.schedule;
    } while (!this.ends);
    this.pool.forget(this);
  }

  /** It shall end. */
  get ends(): boolean {
    return (this.flags & WORKER_DIE) !== 0;
  }

  protected wokeUp(): void {
    this.pool.leaveIdle(this);
  }

  protected goIdle(): void {
    this.pool.enterIdle(this);
  }

  /** What it has to do before it can take an item; undefined for nothing. */
  protected detour(): Coroutine<void> | undefined {
    if (!this.#mustManage) return undefined;
    this.#mustManage = false;
    return manageWorkers(this.pool, this);
  }

  /** The item to run next; undefined when there is none, or a {@link detour} to make first. */
  next(): Work | undefined {
    const { scheduled, pool } = this;
    for (let work = scheduled.first; ; work = scheduled.first) {
      if (work !== undefined) return work;
      if (!this.#goesOn()) return undefined;
      const first = pool.worklist.first;
      if (first !== undefined) pool.assignWork(first, this);
    }
  }

  /** There is an item for it to take. */
  #goesOn(): boolean {
    const { pool } = this;
    if ((this.flags & WORKER_PREP) === 0) {
      if (pool.keepWorking) return true;
      this.setFlags(WORKER_PREP);
      return false;
    }
    if (!pool.needMoreWorker) return false;
    if (!pool.mayStartWorking && pool.manager === undefined && !makeWorker(pool)) {
      this.#mustManage = true;
      return false;
    }
    this.clrFlags(WORKER_PREP);
    return true;
  }

  /** What comes before the call of the item's function (process_one_work, first part). */
  claim(work: Work): PoolWorkqueue {
    const { pool } = this;
    const { pwq } = work;
    if (pwq === undefined) throw notQueued(work);
    this.nextRunner = work.runner;
    work.runner = this;
    this.currentWork = work;
    this.currentPwq = pwq;
    this.currentColor = work.color;
    this.#currentInactive = work.inactive;
    this.desc = pwq.wq.name;
    this.hog.begin();
    listDelInit(work.entry);
    if ((pwq.wq.flags & WQ_CPU_INTENSIVE) !== 0) this.setFlags(WORKER_CPU_INTENSIVE);
    // Only for workers that do not count as running: one of them wakes the next.
    pool.kick();
    work.pwq = undefined;
    work.inactive = false;
    work.linked = false;
    work.pending = false;
    pwq.stats.started++;
    const cpu = thisCpu();
    const { lockdep } = cpu.machine;
    if (lockdep?.on === true) {
      this.#locksBefore = this.task?.heldLocks.length ?? 0;
      acquireMaps(lockdep, cpu, pwq.wq, work);
    }
    cpu.trace(Tracepoint.workqueueExecuteStart, work.number, 0, work.nameId);
    return pwq;
  }

  /** What comes behind the call: the function has ended, the item not yet. */
  called(work: Work, pwq: PoolWorkqueue): void {
    const cpu = thisCpu();
    cpu.trace(Tracepoint.workqueueExecuteEnd, work.number, 0, work.nameId);
    pwq.stats.completed++;
    const { lockdep } = cpu.machine;
    if (lockdep?.on === true) releaseMaps(lockdep, cpu, pwq.wq, work);
    if (this.task !== undefined) this.#checkLeaks(work, this.task);
  }

  oops(work: Work, pwq: PoolWorkqueue, error: unknown): void {
    this.pool.machine.oops(`work ${work.name} of workqueue ${pwq.wq.name}`, error);
  }

  /** Reports an item that left preemption off or locks held, as process_one_work() does; nothing is put right. */
  #checkLeaks(work: Work, task: Task): void {
    const { comm, pid, heldLocks } = task;
    const { preemptCount } = thisCpu();
    const { machine } = this.pool;
    // A lockdep that has reported something does not count any more.
    const before = this.#locksBefore;
    const depth = machine.lockdep?.on === true ? heldLocks.length : before;
    if (preemptCount !== 0 || depth !== before) {
      machine.bug(
        `workqueue leaked atomic, lock or RCU: ${comm}[${pid}]`,
        `     preempt=0x${(preemptCount >>> 0).toString(16).padStart(8, '0')} lock=${before}->${depth} RCU=0->0 workfn=${work.name}`,
        ...(machine.lockdep?.heldLines(task) ?? []),
      );
    }
    mightSleep('process_one_work');
  }

  /** The item is over (process_one_work, last part). It may be queued again by now, and even run elsewhere. */
  retire(): void {
    const { currentWork: work, currentPwq: pwq } = this;
    if (work === undefined || pwq === undefined) return;
    this.clrFlags(WORKER_CPU_INTENSIVE);
    if (work.runner === this) work.runner = this.nextRunner;
    else this.#leaveRunners(work);
    this.nextRunner = undefined;
    this.currentWork = undefined;
    this.currentPwq = undefined;
    pwq.decNrInFlight(this.currentColor, this.#currentInactive);
  }

  #leaveRunners(work: Work): void {
    let other = work.runner;
    while (other !== undefined && other.nextRunner !== this) other = other.nextRunner;
    if (other !== undefined) other.nextRunner = this.nextRunner;
  }
}
