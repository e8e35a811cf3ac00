// Workqueues: making them, queueing items and waiting for them (kernel/workqueue.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, DONE, type Outcome, Request } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { current, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { Tracepoint } from '../trace/ring.js';
import { BhPool } from './bh-pool.js';
import { WorkerPool } from './pool.js';
import {
  WORK_BUSY_PENDING,
  WORK_BUSY_RUNNING,
  type Work,
  type WorkPool,
  Workqueue,
  WQ_BH,
  WQ_HIGHPRI,
  WQ_UNBOUND,
} from './work.js';

/** Two pools of workers and two of softirqs for each CPU, and two unbound ones for the machine; the system's own queues. */
export class WorkqueueSubsystem {
  readonly systemWq = new Workqueue('events', 0, 0);
  readonly systemHighpriWq = new Workqueue('events_highpri', WQ_HIGHPRI, 0);
  readonly systemUnboundWq = new Workqueue('events_unbound', WQ_UNBOUND, 0);
  readonly systemBhWq = new Workqueue('events_bh', WQ_BH, 0);
  readonly systemBhHighpriWq = new Workqueue('events_bh_highpri', WQ_BH | WQ_HIGHPRI, 0);
  readonly #normal: readonly WorkerPool[];
  readonly #highpri: readonly WorkerPool[];
  readonly #bh: readonly BhPool[];
  readonly #bhHighpri: readonly BhPool[];
  readonly #unbound: WorkerPool;
  readonly #unboundHighpri: WorkerPool;
  #lastNumber = 0;

  constructor(machine: Machine) {
    let id = 0;
    const pool = (cpu: Cpu | undefined, highpri: boolean): WorkerPool => new WorkerPool(machine, id++, cpu, highpri);
    const pairs = machine.cpus.map((cpu) => ({ normal: pool(cpu, false), highpri: pool(cpu, true) }));
    this.#normal = pairs.map((pair) => pair.normal);
    this.#highpri = pairs.map((pair) => pair.highpri);
    this.#bh = machine.cpus.map((cpu) => new BhPool(cpu, false));
    this.#bhHighpri = machine.cpus.map((cpu) => new BhPool(cpu, true));
    this.#unbound = pool(undefined, false);
    this.#unboundHighpri = pool(undefined, true);
  }

  /** TASKLET softirq, or HI: runs the WQ_BH items of a CPU (workqueue_softirq_action). */
  runBh(cpu: Cpu, highpri: boolean): Outcome {
    return (highpri ? this.#bhHighpri : this.#bh)[cpu.id]?.run() ?? DONE;
  }

  /** Gives an item its number in the trace. */
  number(work: Work): void {
    if (work.number === 0) work.number = ++this.#lastNumber;
  }

  /** The pool in which an item of `wq` queued on `cpu` runs. */
  poolOf(wq: Workqueue, cpu: Cpu): WorkPool {
    const highpri = (wq.flags & WQ_HIGHPRI) !== 0;
    if ((wq.flags & WQ_BH) !== 0) return (highpri ? this.#bhHighpri : this.#bh)[cpu.id] ?? this.#unbound;
    if (wq.unbound) return highpri ? this.#unboundHighpri : this.#unbound;
    const pools = highpri ? this.#highpri : this.#normal;
    return pools[cpu.id] ?? this.#unbound;
  }
}

/**
 * Makes a workqueue (alloc_workqueue).
 *
 * @param flags WQ_UNBOUND, WQ_HIGHPRI; WQ_BH for items that run in softirq context, alone or with WQ_HIGHPRI
 * @param maxActive items of it that may be active at once on one CPU, 1 to 512; 0 for 256
 * @throws KernelError EINVAL
 */
export function allocWorkqueue(name: string, flags: number, maxActive: number): Workqueue {
  return new Workqueue(name, flags, maxActive);
}

/** Queues an item, on the local CPU if the queue is bound; false when it was pending already. Any context. */
export function queueWork(wq: Workqueue, work: Work): boolean {
  if (work.pending) return false;
  const cpu = thisCpu();
  const { workqueues } = cpu.machine;
  workqueues.number(work);
  // An item that still runs elsewhere goes back there: one queue never runs it by two workers at once.
  const last = work.pool?.workerRunning(work)?.currentPwq;
  const pool = last?.wq === wq ? last.pool : workqueues.poolOf(wq, cpu);
  cpu.trace(Tracepoint.workqueueQueueWork, work.number, pool.cpu?.id ?? -1, cpu.machine.trace.intern(wq.name));
  pool.insert(work, wq.pwqOf(pool));
  return true;
}

/** Queues an item on the system's queue (schedule_work). As {@link queueWork}. */
export function scheduleWork(work: Work): boolean {
  return queueWork(thisCpu().machine.workqueues.systemWq, work);
}

/** Whether an item is queued, WORK_BUSY_PENDING, or running, WORK_BUSY_RUNNING, or both (work_busy). Any context. */
export function workBusy(work: Work): number {
  const running = work.pool?.workerRunning(work) !== undefined;
  return (work.pending ? WORK_BUSY_PENDING : 0) | (running ? WORK_BUSY_RUNNING : 0);
}

/**
 * Waits until the item, as it is queued or running now, is done; false when it was idle (flush_work). Process context.
 *
 * @throws KernelError EDEADLK in the item's own function, which it would wait for
 */
export const flushWork = effect(function* flushWork(work: Work): Coroutine<boolean> {
  mightSleep('flush_work');
  const task = current();
  const flush = { task, done: false };
  const worker = work.pool?.workerRunning(work);
  if (worker?.task === task) {
    throw new KernelError('EDEADLK', `flush_work() of ${work.name} in its own function, which it would wait for`);
  }
  const flushes = work.pending ? work.flushes : worker?.flushes;
  if (flushes === undefined) return false;
  flushes.push(flush);
  while (!flush.done) {
    task.state = TASK_UNINTERRUPTIBLE;
    yield Request.schedule;
  }
  return true;
});
