// Where the time of a CPU goes: task, softirq, hard interrupt or idle (kernel/sched/cputime.c with IRQ_TIME_ACCOUNTING).
import type { Clock } from '../time/clock.js';
import type { LastLook } from '../time/last-look.js';
import type { Cpu } from './cpu.js';
import { HARDIRQ_MASK, NMI_MASK, SOFTIRQ_OFFSET } from './preempt.js';

const TASK = 0;
const SOFTIRQ = 1;
const HARDIRQ = 2;
const IDLE = 3;

/** Ns that a CPU has spent in each kind of context; together the time since the machine was made. Softirqs in ksoftirqd are task time. */
export interface CpuTimes {
  readonly taskNs: number;
  readonly softirqNs: number;
  readonly hardirqNs: number;
  readonly idleNs: number;
}

/** The clock of one CPU's contexts. The engine calls {@link account} just before the context changes. */
export class CpuAccounting {
  readonly #cpu: Cpu;
  readonly #clock: Clock;
  readonly #look: LastLook;
  readonly #ns = new Float64Array(4);
  #sinceNs: number;
  #unchargedNs = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#clock = cpu.machine.clock;
    this.#look = cpu.machine.look;
    this.#sinceNs = this.#clock.now();
  }

  /** Adds the time since the last call to the context that is running. */
  account(): void {
    this.#look.renew();
    // Not handed in or out: a number that does not fit into 31 bits would be an object on the heap at each call.
    const now = this.#clock.lastNs;
    const ns = now - this.#sinceNs;
    if (ns <= 0) return;
    this.#sinceNs = now;
    const kind = this.#kind();
    this.#ns[kind] = (this.#ns[kind] ?? 0) + ns;
    if (kind === TASK) this.#unchargedNs += ns;
  }

  /** What the running task has used since the last {@link takeUncharged}. */
  get unchargedNs(): number {
    this.account();
    return this.#unchargedNs;
  }

  /** What the running task has used since the last call. */
  takeUncharged(): number {
    const ns = this.#unchargedNs;
    this.#unchargedNs = 0;
    return ns;
  }

  read(): CpuTimes {
    this.account();
    const [taskNs = 0, softirqNs = 0, hardirqNs = 0, idleNs = 0] = this.#ns;
    return { taskNs, softirqNs, hardirqNs, idleNs };
  }

  #kind(): number {
    const { preemptCount, current, idle, softirqs } = this.#cpu;
    if ((preemptCount & (HARDIRQ_MASK | NMI_MASK)) !== 0) return HARDIRQ;
    // Softirqs are nobody's time, but of ksoftirqd, a task that runs for nothing else, they are its own.
    if ((preemptCount & SOFTIRQ_OFFSET) !== 0 && current !== softirqs.thread) return SOFTIRQ;
    return current === idle ? IDLE : TASK;
  }
}
