// The workqueues of a machine: its pools, the queues that are always there, and what holds for all of them (workqueue_init).
import { KernelError } from '../errno.js';
import { ListHead, listAddTail, listDelInit } from '../lib/list.js';
import type { Machine } from '../machine.js';
import { type Coroutine, DONE, type Outcome, Request } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { current } from '../sched/current.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { waitEvent } from '../sched/wait.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { WorkqueueAttrs, WQ_AFFN_CACHE } from './attrs.js';
import { runBhPool } from './bh.js';
import {
  __WQ_ORDERED,
  HIGHPRI_NICE_LEVEL,
  WQ_BH,
  WQ_FREEZABLE,
  WQ_HIGHPRI,
  WQ_MAX_ACTIVE,
  WQ_POWER_EFFICIENT,
  WQ_UNBOUND,
} from './flags.js';
import { reapDyingWorkers, setWorkerDying } from './idle.js';
import { HogReport } from './intensive.js';
import { ThreadMemory } from './manage.js';
import { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import { registerWorkqueueBus } from './sysfs.js';
import type { Work } from './work.js';
import type { Worker } from './worker.js';
import { Workqueue } from './workqueue.js';

const DEFAULT_CPU_INTENSIVE_THRESH_US = 10_000;

/** The pools of one CPU: normal, and of high priority. */
interface CpuPools {
  readonly bh: readonly [WorkerPool, WorkerPool];
  readonly cpu: readonly [WorkerPool, WorkerPool];
}

/** All of a machine's workqueues. */
export class WorkqueueSubsystem {
  readonly #machine: Machine;
  readonly #cpuPools: readonly CpuPools[];
  readonly #unboundPools = new Set<WorkerPool>();
  readonly #poolIds = new Set<number>();
  /** Every queue that there is, oldest first. */
  readonly all = new Set<Workqueue>();
  /** Set from freezeWorkqueuesBegin() to thawWorkqueues(). */
  freezing = false;
  /** WQ_POWER_EFFICIENT queues are unbound. */
  readonly powerEfficient: boolean;
  /** Microseconds after which an item without WQ_CPU_INTENSIVE is treated as one with it; 0 for never. */
  cpuIntensiveThreshUs: number;
  /** CPUs that unbound queues may use; those that were asked for; and those that were taken out, as bit masks. */
  unboundCpumask: number;
  requestedUnboundCpumask: number;
  isolatedCpumask = 0;
  /** The affinity scope of queues that ask for none. */
  affnDfl = WQ_AFFN_CACHE;
  /** By CPU: the one that its unbound items went to last, where they may not stay. */
  readonly rrCpuLast: number[] = [];
  /** For tests of what happens when no worker can be made. */
  readonly memory: ThreadMemory;
  readonly hogs: HogReport;
  /** Where `scheduleWork` queues. */
  readonly systemPercpuWq: Workqueue;
  /** The same by its old name: a queue of its own. */
  readonly systemWq: Workqueue;
  readonly systemHighpriWq: Workqueue;
  /** For items that take long. */
  readonly systemLongWq: Workqueue;
  readonly systemUnboundWq: Workqueue;
  readonly systemDflWq: Workqueue;
  readonly systemFreezableWq: Workqueue;
  readonly systemPowerEfficientWq: Workqueue;
  readonly systemFreezablePowerEfficientWq: Workqueue;
  readonly systemBhWq: Workqueue;
  readonly systemBhHighpriWq: Workqueue;
  /** Queues that are not to be flushed as a whole. */
  readonly systemWide: ReadonlySet<Workqueue>;
  readonly #released = new ListHead<PoolWorkqueue>();
  #releaser: Task | undefined;
  #lastNumber = 0;
  #toldCutName = false;

  constructor(machine: Machine, powerEfficient = false, threshUs = DEFAULT_CPU_INTENSIVE_THRESH_US) {
    this.#machine = machine;
    this.powerEfficient = powerEfficient;
    this.cpuIntensiveThreshUs = threshUs;
    this.unboundCpumask = machine.cpuMask;
    this.requestedUnboundCpumask = machine.cpuMask;
    this.memory = new ThreadMemory(machine);
    this.hogs = new HogReport(machine);
    this.#cpuPools = machine.cpus.map((cpu) => this.#makeCpuPools(cpu));
    const system = (name: string, flags: number, maxActive = 0): Workqueue => new Workqueue(name, flags, maxActive);
    this.systemWq = system('events', 0);
    this.systemPercpuWq = system('events', 0);
    this.systemHighpriWq = system('events_highpri', WQ_HIGHPRI);
    this.systemLongWq = system('events_long', 0);
    this.systemUnboundWq = system('events_unbound', WQ_UNBOUND, WQ_MAX_ACTIVE);
    this.systemDflWq = system('events_unbound', WQ_UNBOUND, WQ_MAX_ACTIVE);
    this.systemFreezableWq = system('events_freezable', WQ_FREEZABLE);
    this.systemPowerEfficientWq = system('events_power_efficient', WQ_POWER_EFFICIENT);
    this.systemFreezablePowerEfficientWq = system('events_freezable_pwr_efficient', WQ_FREEZABLE | WQ_POWER_EFFICIENT);
    this.systemWide = new Set([
      this.systemPercpuWq,
      this.systemHighpriWq,
      this.systemLongWq,
      this.systemUnboundWq,
      this.systemFreezableWq,
      this.systemPowerEfficientWq,
      this.systemFreezablePowerEfficientWq,
    ]);
    this.systemBhWq = system('events_bh', WQ_BH);
    this.systemBhHighpriWq = system('events_bh_highpri', WQ_BH | WQ_HIGHPRI);
  }

  /** Makes known what the system has; its queues get their parts when they are first used, as those made outside of any context. */
  init(): void {
    const { systemWq, systemDflWq, systemBhWq, systemBhHighpriWq } = this;
    for (const wq of [systemWq, systemDflWq, ...this.systemWide, systemBhWq, systemBhHighpriWq]) this.all.add(wq);
    // The pool of `events_unbound`, which is always there, and has the first number behind those of the CPUs.
    this.getUnboundPool(this.defaultAttrs(false, false));
    registerWorkqueueBus(this.#machine);
  }

  #makeCpuPools(cpu: Cpu): CpuPools {
    const make = (nice: number, bh: boolean): WorkerPool => {
      const attrs = new WorkqueueAttrs(1 << cpu.id);
      attrs.nice = nice;
      attrs.affnStrict = true;
      return new WorkerPool(this.#machine, this.#takePoolId(), attrs, cpu, bh);
    };
    return {
      bh: [make(0, true), make(HIGHPRI_NICE_LEVEL, true)],
      cpu: [make(0, false), make(HIGHPRI_NICE_LEVEL, false)],
    };
  }

  #takePoolId(): number {
    let id = 0;
    while (this.#poolIds.has(id)) id++;
    this.#poolIds.add(id);
    return id;
  }

  /** Every pool, by number. */
  get pools(): WorkerPool[] {
    const bound = this.#cpuPools.flatMap(({ bh, cpu }) => [...bh, ...cpu]);
    return [...bound, ...this.#unboundPools].sort((a, b) => a.id - b.id);
  }

  /** A pool of a CPU: of workers, or of its softirq. `EINVAL` for a CPU that the machine has not got. */
  cpuPool(cpuId: number, highpri: boolean, bh: boolean): WorkerPool {
    const pools = this.#cpuPools[cpuId];
    if (pools === undefined) throw new KernelError('EINVAL', `no worker pool for CPU ${cpuId}`);
    return (bh ? pools.bh : pools.cpu)[highpri ? 1 : 0];
  }

  /** TASKLET softirq, or HI: runs the WQ_BH items of a CPU (workqueue_softirq_action). */
  runBh(cpu: Cpu, highpri: boolean): Outcome {
    const pool = this.#cpuPools[cpu.id]?.bh[highpri ? 1 : 0];
    return pool === undefined || !pool.needMoreWorker ? DONE : runBhPool(pool);
  }

  /** True the first time: that names are cut is told once. */
  tellsCutName(): boolean {
    const first = !this.#toldCutName;
    this.#toldCutName = true;
    return first;
  }

  /** Gives an item its number and its name in the trace. */
  number(work: Work): void {
    work.number = ++this.#lastNumber;
    work.nameId = this.#machine.trace.intern(work.name);
  }

  /** Attributes of an unbound queue that asks for none. */
  defaultAttrs(highpri: boolean, ordered: boolean): WorkqueueAttrs {
    const attrs = new WorkqueueAttrs(this.#machine.cpuMask);
    attrs.nice = highpri ? HIGHPRI_NICE_LEVEL : 0;
    attrs.ordered = ordered;
    return attrs;
  }

  /** The unbound pool with these attributes, for one more queue (get_unbound_pool). */
  getUnboundPool(attrs: WorkqueueAttrs): WorkerPool {
    for (const pool of this.#unboundPools) {
      if (!pool.attrs.samePool(attrs)) continue;
      pool.refcnt++;
      return pool;
    }
    const pool = new WorkerPool(this.#machine, this.#takePoolId(), attrs.forPool(this.#machine.cpuMask));
    this.#unboundPools.add(pool);
    return pool;
  }

  /** A part of a queue has no use any more: it is taken apart by a task, since its pool may just be at work. */
  release(pwq: PoolWorkqueue): void {
    listAddTail(pwq.maydayNode, this.#released);
    this.#releaser ??= this.#machine.create('pool_workqueue_release', () => this.#releaseLoop());
    wakeUpProcess(this.#releaser);
  }

  *#releaseLoop(): Coroutine<void> {
    const task = current();
    for (;;) {
      const pwq = this.#released.first;
      if (pwq === undefined) {
        task.state = TASK_INTERRUPTIBLE;
        yield Request.schedule;
        task.state = TASK_RUNNING;
      } else {
        listDelInit(pwq.maydayNode);
        yield* this.#take(pwq);
      }
    }
  }

  /** Takes a part of a queue apart (pwq_release_workfn). */
  *#take(pwq: PoolWorkqueue): Coroutine<void> {
    const { wq, pool } = pwq;
    wq.pwqs.delete(pwq);
    const [oldest] = wq.pwqs;
    if ((wq.flags & __WQ_ORDERED) !== 0) oldest?.unplug();
    listDelInit(pwq.pendingNode);
    if (pool.cpu === undefined && --pool.refcnt === 0) yield* this.#putUnboundPool(pool);
  }

  /** Ends a pool that no queue uses, and its workers (put_unbound_pool). */
  *#putUnboundPool(pool: WorkerPool): Coroutine<void> {
    this.#unboundPools.delete(pool);
    this.#poolIds.delete(pool.id);
    yield* waitEvent(pool.managerWait, () => pool.manager === undefined);
    const dying = new ListHead<Worker>();
    for (const worker of pool.idleList) setWorkerDying(worker, dying);
    yield* reapDyingWorkers(dying);
    yield* pool.shutDown();
  }
}
