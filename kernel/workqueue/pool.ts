// Worker pools: the workers of one CPU and nice value, or of a set of CPUs, and the list of items that they share (struct worker_pool).

import { cpumaskNextWrap } from '../lib/cpumask.js';
import { ListHead, listAdd, listDelInit } from '../lib/list.js';
import type { Machine } from '../machine.js';
import type { Coroutine } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { runningCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { WaitQueueHead } from '../sched/wait.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { HI_SOFTIRQ, TASKLET_SOFTIRQ } from '../softirq/softirq.js';
import { jiffiesLately } from '../time/jiffies.js';
import { TimerList, timerDeleteSync } from '../time/timer.js';
import type { WorkqueueAttrs } from './attrs.js';
import { IdleCuller } from './idle.js';
import { poolMaydayTimeout } from './manage.js';
import { maydayCursorFunc } from './pwq.js';
import { moveLinkedWorks, type Work } from './work.js';
import { WORKER_IDLE, Worker } from './worker.js';

/** One in so many of the busy workers may be idle. */
const MAX_IDLE_WORKERS_RATIO = 4;

/**
 * A pool. It is bound to a CPU and sees to it that just one of its workers is running there as long as there are items; or
 * unbound, and an item starts as soon as there is a worker; or it is the softirq of a CPU, which has one worker without a task.
 */
export class WorkerPool {
  readonly machine: Machine;
  readonly id: number;
  /** Undefined for an unbound pool. */
  readonly cpu: Cpu | undefined;
  readonly attrs: WorkqueueAttrs;
  /** Items of WQ_BH queues, in softirq context. */
  readonly bh: boolean;
  /** Workers that are at an item and not asleep, as far as that is looked at: none of an unbound pool. */
  nrRunning = 0;
  /** Items that may run. */
  readonly worklist = new ListHead<Work>();
  readonly workers = new Set<Worker>();
  nrWorkers = 0;
  nrIdle = 0;
  /** The one that went idle last is in front: its cache is warm. */
  readonly idleList = new ListHead<Worker>();
  /** The worker that makes another one now. */
  manager: Worker | undefined;
  /** Told when {@link manager} has done it. */
  readonly managerWait = new WaitQueueHead();
  /** Queues that use an unbound pool. */
  refcnt = 1;
  /** When an item was taken last, or came to an empty list, in ns of the machine's clock. */
  watchdogNs = 0;
  readonly #ids = new Set<number>();
  /** The CPU of its group to which a worker was brought back last. */
  #homeCpu = 0;
  #culler: IdleCuller | undefined;
  #maydayTimer: TimerList | undefined;

  constructor(machine: Machine, id: number, attrs: WorkqueueAttrs, cpu?: Cpu, bh = false) {
    this.machine = machine;
    this.id = id;
    this.attrs = attrs;
    this.cpu = cpu;
    this.bh = bh;
  }

  /** Workers do not count as running: the scheduler alone says how many run. */
  get disassociated(): boolean {
    return this.cpu === undefined || this.bh;
  }

  get highpri(): boolean {
    return this.attrs.nice < 0;
  }

  /** CPUs that its workers may run on (pool_allowed_cpus). */
  get allowedCpus(): number {
    const { cpumask, podCpumask, affnStrict } = this.attrs;
    return this.cpu === undefined && affnStrict ? podCpumask : cpumask;
  }

  /** There is an item, and nobody of the pool is at it (need_more_worker). */
  get needMoreWorker(): boolean {
    return this.nrRunning === 0 && !this.worklist.empty;
  }

  /** Somebody is left to be woken when the one that starts now sleeps (may_start_working). */
  get mayStartWorking(): boolean {
    return this.nrIdle > 0;
  }

  /** A worker at work should take one more item (keep_working). */
  get keepWorking(): boolean {
    return this.nrRunning <= 1 && !this.worklist.empty;
  }

  /** Asked by the manager, and by those who wait for it (need_to_create_worker). */
  get needToCreateWorker(): boolean {
    return this.needMoreWorker && !this.mayStartWorking;
  }

  /** More than two are idle, and more than a quarter of the busy ones (too_many_workers). */
  get tooManyWorkers(): boolean {
    const idle = this.nrIdle + (this.manager === undefined ? 0 : 1);
    const busy = this.nrWorkers - idle;
    return idle > 2 && (idle - 2) * MAX_IDLE_WORKERS_RATIO >= busy;
  }

  /** Made when it is needed, as the next one: most pools have never too many workers, or too few. */
  get culler(): IdleCuller {
    this.#culler ??= new IdleCuller(this);
    return this.#culler;
  }

  get maydayTimer(): TimerList {
    const pool_mayday_timeout = (): void => poolMaydayTimeout(this);
    this.#maydayTimer ??= new TimerList(pool_mayday_timeout);
    return this.#maydayTimer;
  }

  /** It has made progress; the last look at the clock is near enough for a watchdog that counts in seconds. */
  touch(): void {
    this.watchdogNs = this.machine.clock.lastNs;
  }

  enterIdle(worker: Worker): void {
    worker.flags |= WORKER_IDLE;
    this.nrIdle++;
    worker.lastActive = jiffiesLately(this.machine);
    listAdd(worker.entry, this.idleList);
    if (this.tooManyWorkers) this.culler.arm();
  }

  leaveIdle(worker: Worker): void {
    worker.flags &= ~WORKER_IDLE;
    this.nrIdle--;
    listDelInit(worker.entry);
  }

  /** The worker of this pool that runs an item (find_worker_executing_work). */
  workerRunning(work: Work): Worker | undefined {
    let worker = work.runner;
    while (worker !== undefined && worker.pool !== this) worker = worker.nextRunner;
    return worker;
  }

  /** Gives an item to a worker; false when another one runs it still, which then gets it (assign_work). */
  assignWork(work: Work, worker: Worker): boolean {
    if (work.fn === maydayCursorFunc) {
      listDelInit(work.entry);
      return false;
    }
    const other = work.runner === undefined ? undefined : this.workerRunning(work);
    moveLinkedWorks(work, (other ?? worker).scheduled);
    if (other !== undefined) return false;
    this.touch();
    return true;
  }

  /** Wakes a worker if one is needed; true if so (kick_pool). Any context. */
  kick(): boolean {
    if (!this.needMoreWorker) return false;
    const worker = this.idleList.first;
    if (worker === undefined) {
      if (this.nrWorkers > 0) return false;
      // The first worker is there from the start in the kernel; here it is made when it is needed, and cannot fail.
      this.addWorker();
      if (!this.bh) return true;
    }
    if (this.bh) this.#kickBh();
    else if (worker?.task !== undefined) this.wake(worker.task);
    return true;
  }

  /** Wakes a worker's task: one that is outside of the CPUs of its group, though it may be, wakes inside again. */
  wake(task: Task): void {
    const { podCpumask, affnStrict } = this.attrs;
    if (!affnStrict && (podCpumask & (1 << task.cpu.id)) === 0 && !task.onRq) {
      const { cpus } = this.machine;
      this.#homeCpu = cpumaskNextWrap(this.#homeCpu, podCpumask, cpus.length);
      task.cpu = cpus[this.#homeCpu] ?? task.cpu;
      const pwq = this.worklist.first?.pwq;
      if (pwq !== undefined) pwq.stats.repatriated++;
    }
    wakeUpProcess(task);
  }

  /** Raises the softirq of its CPU. */
  #kickBh(): void {
    const { cpu } = this;
    if (cpu === undefined) return;
    const vector = this.highpri ? HI_SOFTIRQ : TASKLET_SOFTIRQ;
    if (cpu === runningCpu()) {
      cpu.softirqs.raise(vector);
      return;
    }
    cpu.callFunction(() => {
      cpu.softirqs.raise(vector);
      return 0;
    });
  }

  /** Makes a worker and has it look for items. */
  addWorker(): Worker {
    const worker = new Worker(this, this.#takeId());
    this.nrWorkers++;
    this.workers.add(worker);
    this.enterIdle(worker);
    if (!this.bh) worker.start();
    return worker;
  }

  /** The lowest number that no worker has. */
  #takeId(): number {
    let id = 0;
    while (this.#ids.has(id)) id++;
    this.#ids.add(id);
    return id;
  }

  /** It is of no use any more: nothing of it may come later. */
  *shutDown(): Coroutine<void> {
    if (this.#culler !== undefined) yield* this.#culler.shutDown();
    if (this.#maydayTimer !== undefined) yield* timerDeleteSync(this.#maydayTimer);
  }

  /** A worker has ended. */
  forget(worker: Worker): void {
    this.#ids.delete(worker.id);
  }
}
