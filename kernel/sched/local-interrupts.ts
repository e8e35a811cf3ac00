// LocalInterrupts: those that a CPU raises for itself or gets from another CPU, in the order in which they are taken.
import { DONE, type Outcome } from './coroutine.js';
import type { Cpu } from './cpu.js';

export const LocalVector = { timer: 0, callFunction: 1 } as const;
export type LocalVectorId = (typeof LocalVector)[keyof typeof LocalVector];

/** What is pending of them on one CPU. */
export class LocalInterrupts {
  /** Bit n for vector n. */
  pending = 0;
  readonly #callFunctions: (() => Outcome)[] = [];

  raise(vector: LocalVectorId): void {
    this.pending |= 1 << vector;
  }

  /** Raises callFunction for `fn`. */
  call(fn: () => Outcome): void {
    this.#callFunctions.push(fn);
    this.raise(LocalVector.callFunction);
  }

  /** Handles the first that is pending. */
  take(cpu: Cpu): Outcome {
    if ((this.pending & (1 << LocalVector.timer)) !== 0) {
      this.pending &= ~(1 << LocalVector.timer);
      return cpu.hrtimers.interrupt();
    }
    const fn = this.#callFunctions.shift();
    if (this.#callFunctions.length === 0) this.pending &= ~(1 << LocalVector.callFunction);
    return fn === undefined ? DONE : fn();
  }
}
