// Which interrupt controllers are wired to the CPUs: the root, and others beside it, which Linux has no need of.
import { KernelError } from '../errno.js';
import { DONE, type Outcome } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';

/** A root interrupt handler: hard interrupt context, while the CPU's line from its controller is asserted. */
export type RootHandler = (cpu: Cpu) => Outcome;

/** Bits of {@link Cpu.irqLines}. */
const INPUTS = 31;
const nobody: RootHandler = () => DONE;

/** The interrupt inputs that all CPUs of a machine have. */
export class IrqInputs {
  #root: RootHandler | undefined;
  /** Of the inputs from 1; empty on most machines. */
  readonly #others: (RootHandler | undefined)[] = [];

  /** Sets the handler of input 0 (set_handle_irq). */
  setRoot(handler: RootHandler): void {
    this.#root = handler;
  }

  /**
   * Wires one more controller.
   *
   * @returns its input, for {@link Cpu.setIrqLine}: the root's on a machine that has none yet
   * @throws {KernelError} `ENOSPC` when all inputs are wired
   */
  add(handler: RootHandler): number {
    if (this.#root === undefined) {
      this.#root = handler;
      return 0;
    }
    const free = this.#others.indexOf(undefined);
    const index = free < 0 ? this.#others.length : free;
    if (index >= INPUTS - 1) throw new KernelError('ENOSPC', `${INPUTS} interrupt controllers are wired to the CPUs`);
    this.#others[index] = handler;
    return index + 1;
  }

  /** Takes a controller away whose lines are not asserted any more. */
  remove(input: number): void {
    if (input === 0) this.#root = undefined;
    else this.#others[input - 1] = undefined;
  }

  /** Handles an interrupt of a CPU. Of several inputs that are asserted the lowest goes first. */
  handle(cpu: Cpu): Outcome {
    if (this.#others.length === 0) return (this.#root ?? nobody)(cpu);
    const lines = cpu.irqLines;
    const input = 31 - Math.clz32(lines & -lines);
    return ((input === 0 ? this.#root : this.#others[input - 1]) ?? nobody)(cpu);
  }
}
