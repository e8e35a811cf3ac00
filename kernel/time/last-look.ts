// LastLook: how long a reading of the clock is good for the model's own books, where to look again would be dear.
import type { Clock } from './clock.js';

/** Uses of one reading, at most: the model's own code takes time as well. */
const USES = 32;

/**
 * The time for trace records and accounts, which come several at a time. Reading the clock can be a system call, which takes
 * longer than all that the model does in between; and nothing but code of others (handlers, thread functions, work items,
 * timers, chips) takes long enough to be seen. So a reading is good until such code runs, and while it runs each look is a new one.
 *
 * What others are told, and what they wait for, is always read from the clock itself.
 */
export class LastLook {
  readonly #clock: Clock;
  /** As often the last reading may be used still. */
  #left = 0;
  /** Code of others is running: always so while no CPU runs. */
  #others = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Behind this call {@link Clock.lastNs} is the time. */
  renew(): void {
    if (this.#left > 0) {
      this.#left--;
      return;
    }
    this.#clock.now();
    this.#left = this.#others ? 0 : USES;
  }

  /** Code of others comes next. @returns for {@link othersDone}: whether some was running already, which has called the model */
  others(): boolean {
    const before = this.#others;
    this.#others = true;
    this.#left = 0;
    return before;
  }

  /** That code is done, or has given the CPU back; or, with nothing said before, the model's own comes next. */
  othersDone(before = false): void {
    this.#others = before;
  }
}
