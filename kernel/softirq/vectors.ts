// The vectors of softirqs: their numbers and names, and what each of them does (softirq_vec in kernel/softirq.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';

/** The vectors; the lowest number runs first (include/linux/interrupt.h). */
export const HI_SOFTIRQ = 0;
export const TIMER_SOFTIRQ = 1;
export const NET_TX_SOFTIRQ = 2;
export const NET_RX_SOFTIRQ = 3;
export const BLOCK_SOFTIRQ = 4;
export const IRQ_POLL_SOFTIRQ = 5;
export const TASKLET_SOFTIRQ = 6;
export const SCHED_SOFTIRQ = 7;
export const HRTIMER_SOFTIRQ = 8;
/** The last one. On a machine with `extraSoftirqs` it has a higher number: `machine.softirqs.nrOf('RCU')`. */
export const RCU_SOFTIRQ = 9;
/** Vectors of a machine without `extraSoftirqs`. */
export const NR_SOFTIRQS = 10;

/** Names of the vectors, as /proc/softirqs has them, of a machine without `extraSoftirqs`. */
export const SOFTIRQ_NAMES: readonly string[] = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

/** Raised vectors are the bits of one word. */
const MAX_VECTORS = 32;

/** What a vector does: softirq context, interrupts on. A plain function or a generator function; what it returns is not looked at. */
export type SoftirqAction = () => unknown;

/** The vectors of a machine. */
export class SoftirqVectors {
  /** Names by number (softirq_to_name). */
  readonly names: readonly string[];
  readonly #actions: (SoftirqAction | undefined)[];
  readonly #nameIds: readonly number[];

  /** `extra` vectors come before RCU, which is to be the last one. */
  constructor(machine: Machine, extra: readonly string[] = []) {
    const names = [...SOFTIRQ_NAMES.slice(0, RCU_SOFTIRQ), ...extra, ...SOFTIRQ_NAMES.slice(RCU_SOFTIRQ)];
    if (names.length > MAX_VECTORS || new Set(names).size < names.length || names.includes('')) {
      throw new KernelError('EINVAL', `extraSoftirqs ${extra.join(', ')}: names of their own, ${MAX_VECTORS} in all`);
    }
    this.names = names;
    this.#actions = new Array<SoftirqAction | undefined>(names.length).fill(undefined);
    this.#nameIds = names.map((name) => machine.trace.intern(name));
  }

  /** The number of a vector. `EINVAL` when there is none of that name. */
  nrOf(name: string): number {
    const nr = this.names.indexOf(name);
    if (nr < 0) throw this.#unknown(name);
    return nr;
  }

  /** Sets what a vector does, on all CPUs (open_softirq). `EINVAL` for a number that is none. */
  open(nr: number, action: SoftirqAction): void {
    if (this.names[nr] === undefined) throw this.#unknown(nr);
    this.#actions[nr] = action;
  }

  action(nr: number): SoftirqAction | undefined {
    return this.#actions[nr];
  }

  /** `EINVAL` for a number that is none. */
  check(nr: number): void {
    if (this.names[nr] === undefined) throw this.#unknown(nr);
  }

  /** The name of a vector in the machine's trace. */
  nameId(nr: number): number {
    return this.#nameIds[nr] ?? 0;
  }

  #unknown(vector: number | string): KernelError {
    return new KernelError('EINVAL', `the machine has no softirq ${vector}`, {
      hint: `it has ${this.names.join(', ')}; more of them with the option extraSoftirqs`,
    });
  }
}
