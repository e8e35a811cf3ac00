// Per-CPU data: one value for each CPU, touched without a lock by code that stays there (include/linux/percpu.h).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { preemptDisable, preemptEnable } from '../sched/core.js';
import { thisCpu } from '../sched/current.js';

/**
 * A variable that each CPU has for itself, on each machine.
 *
 * ```ts
 * const edges = new PerCpu(() => 0);                // DEFINE_PER_CPU(int, edges)
 * const handler = () => {
 *   thisCpuInc(edges);                              // no lock: only this CPU writes it, and nothing comes in between
 *   return IRQ_HANDLED;
 * };
 * function* total() {
 *   let sum = 0;
 *   for (const cpu of forEachPossibleCpu()) sum += perCpu(edges, cpu);
 *   return sum;
 * }
 * ```
 */
export class PerCpu<T> {
  readonly #initial: (cpu: number) => T;
  readonly #values = new WeakMap<Machine, T[]>();

  /** `initial` makes the value of each CPU when a machine first uses the variable. */
  constructor(initial: (cpu: number) => T) {
    this.#initial = initial;
  }

  /** The values of a machine, by CPU. */
  of(machine: Machine): T[] {
    let values = this.#values.get(machine);
    if (values === undefined) {
      values = machine.cpus.map(({ id }) => this.#initial(id));
      this.#values.set(machine, values);
    }
    return values;
  }
}

function slotOf<T>(variable: PerCpu<T>, machine: Machine, cpu: number): T {
  if (machine.cpus[cpu] === undefined) throw new KernelError('EINVAL', `per_cpu(): no CPU ${cpu}`);
  return variable.of(machine)[cpu] as T;
}

/** Numbers of the machine's CPUs (for_each_possible_cpu). */
export function forEachPossibleCpu(): number[] {
  return thisCpu().machine.cpus.map(({ id }) => id);
}

/** The value of any CPU (per_cpu). */
export function perCpu<T>(variable: PerCpu<T>, cpu: number): T {
  return slotOf(variable, thisCpu().machine, cpu);
}

/** The value of the running CPU (this_cpu_read). A task may run elsewhere after its next `yield*`. */
export function thisCpuRead<T>(variable: PerCpu<T>): T {
  const { machine, id } = thisCpu();
  return slotOf(variable, machine, id);
}

export function thisCpuWrite<T>(variable: PerCpu<T>, value: T): void {
  const { machine, id } = thisCpu();
  variable.of(machine)[id] = value;
}

/** Adds to the value of the running CPU, and gives the result (this_cpu_add_return). */
export function thisCpuAddReturn(variable: PerCpu<number>, n: number): number {
  const value = thisCpuRead(variable) + n;
  thisCpuWrite(variable, value);
  return value;
}

export function thisCpuAdd(variable: PerCpu<number>, n: number): void {
  thisCpuAddReturn(variable, n);
}

export function thisCpuSub(variable: PerCpu<number>, n: number): void {
  thisCpuAddReturn(variable, -n);
}

export function thisCpuInc(variable: PerCpu<number>): void {
  thisCpuAddReturn(variable, 1);
}

export function thisCpuDec(variable: PerCpu<number>): void {
  thisCpuAddReturn(variable, -1);
}

/** Sets the value of the running CPU, and gives the one before (this_cpu_xchg). */
export function thisCpuXchg<T>(variable: PerCpu<T>, value: T): T {
  const old = thisCpuRead(variable);
  thisCpuWrite(variable, value);
  return old;
}

/** The value of the running CPU, with preemption off until {@link putCpuVar}, so that it stays this CPU's (get_cpu_var). */
export function getCpuVar<T>(variable: PerCpu<T>): T {
  preemptDisable();
  return thisCpuRead(variable);
}

/** Ends one {@link getCpuVar} (put_cpu_var). */
export function putCpuVar<T>(_variable: PerCpu<T>): void {
  preemptEnable();
}

/** Number of the running CPU, with preemption off until {@link putCpu} (get_cpu). */
export function getCpu(): number {
  preemptDisable();
  return thisCpu().id;
}

export function putCpu(): void {
  preemptEnable();
}
