// Items that hog their CPU: from the tick on that finds one, its worker does not count as running (wq_worker_tick).
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { HRTIMER_MODE_ABS_HARD, HRTIMER_NORESTART, Hrtimer } from '../time/hrtimer.js';
import type { Work, WorkFn } from './work.js';
import { WORKER_CPU_INTENSIVE, WORKER_NOT_RUNNING, type Worker } from './worker.js';

const NSEC_PER_USEC = 1_000;
/** Functions that are told apart, and how often one may hog before it is reported. */
const WCI_MAX_ENTS = 128;
const WARNING_THRESH = 4;

/** The next tick at or behind a time. */
function tickAt(machine: Machine, ns: number): number {
  const { bootNs, tickNs } = machine;
  return bootNs + Math.ceil((ns - bootNs) / tickNs) * tickNs;
}

/**
 * How long a worker has used its CPU without sleeping. No tick comes to a CPU here that has no use for it, so the one that may
 * find a hog is set when the worker says that it will be busy for long.
 */
export class CpuHog {
  readonly #worker: Worker;
  /** What its task had run when the item began, or woke; -1 as long as it used no time since. */
  #sinceNs = -1;
  #tick: Hrtimer | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** An item begins, or goes on behind a sleep. */
  begin(): void {
    this.#sinceNs = -1;
  }

  /** The worker is about to keep the CPU until then. */
  busyUntil(untilNs: number): void {
    const cpu = thisCpu();
    const left = this.#left(cpu);
    if (left === undefined) return;
    const dueNs = tickAt(cpu.machine, cpu.machine.clock.now() + left);
    if (dueNs < untilNs) this.#arm(cpu, dueNs);
  }

  /** Ns of running until it is a hog. */
  #left(cpu: Cpu): number | undefined {
    const { task } = this.#worker;
    const thresholdNs = cpu.machine.workqueues.cpuIntensiveThreshUs * NSEC_PER_USEC;
    if (task === undefined || thresholdNs === 0) return undefined;
    const ran = task.sumExecNs + (cpu.current === task ? cpu.accounting.unchargedNs : 0);
    if (this.#sinceNs < 0) this.#sinceNs = ran;
    return thresholdNs - (ran - this.#sinceNs);
  }

  #arm(cpu: Cpu, dueNs: number): void {
    this.#tick ??= new Hrtimer(() => this.#onTick(), HRTIMER_MODE_ABS_HARD);
    cpu.hrtimers.start(this.#tick, dueNs, 0);
  }

  /** A tick, in hard interrupt context. */
  #onTick(): number {
    const worker = this.#worker;
    const { currentWork: work, currentPwq: pwq, pool } = worker;
    if (this.#sinceNs < 0 || work === undefined || pwq === undefined) return HRTIMER_NORESTART;
    if ((worker.flags & WORKER_NOT_RUNNING) !== 0 || worker.sleeping) return HRTIMER_NORESTART;
    const cpu = thisCpu();
    const left = this.#left(cpu) ?? 0;
    if (left > 0 || cpu.current !== worker.task) {
      this.#arm(cpu, tickAt(cpu.machine, cpu.machine.clock.now() + Math.max(left, 1)));
      return HRTIMER_NORESTART;
    }
    worker.setFlags(WORKER_CPU_INTENSIVE);
    cpu.machine.workqueues.hogs.report(work);
    pwq.stats.cpuIntensive++;
    if (pool.kick()) pwq.stats.cmWakeup++;
    return HRTIMER_NORESTART;
  }
}

/** Who hogged how often; a function is named at the fourth time, and then ever more rarely (wq_cpu_intensive_report). */
export class HogReport {
  readonly #machine: Machine;
  readonly #counts = new Map<WorkFn, number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  report(work: Work): void {
    if (this.#counts.size >= WCI_MAX_ENTS && !this.#counts.has(work.fn)) return;
    const count = (this.#counts.get(work.fn) ?? 0) + 1;
    this.#counts.set(work.fn, count);
    const over = count + 1 - WARNING_THRESH;
    if (over < 1 || (over & (over - 1)) !== 0) return;
    const { cpuIntensiveThreshUs } = this.#machine.workqueues;
    this.#machine.printk(
      'warning',
      `workqueue: ${work.name} hogged CPU for >${cpuIntensiveThreshUs}us ${count} times, consider switching to WQ_UNBOUND`,
    );
  }
}
