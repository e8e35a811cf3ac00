// Rate limit: so many messages in so many jiffies, the others counted (lib/ratelimit.c).
import type { Machine } from '../machine.js';
import { jiffiesOf } from '../time/jiffies.js';

/** State of one limit on one machine (struct ratelimit_state). */
export class RatelimitState {
  readonly #machine: Machine;
  readonly #intervalSecs: number;
  readonly #burst: number;
  #begin: number | undefined;
  #printed = 0;
  #missed = 0;

  /** `burst` messages in `intervalSecs` seconds. */
  constructor(machine: Machine, intervalSecs: number, burst: number) {
    this.#machine = machine;
    this.#intervalSecs = intervalSecs;
    this.#burst = burst;
  }

  /** Whether a message may be printed now (__ratelimit). With the first of a new interval, `where` says how many were not. */
  allows(where: string): boolean {
    const now = jiffiesOf(this.#machine);
    this.#begin ??= now;
    if (now > this.#begin + this.#intervalSecs * this.#machine.hz) this.#restart(now, where);
    if (this.#printed < this.#burst) {
      this.#printed++;
      return true;
    }
    this.#missed++;
    return false;
  }

  #restart(now: number, where: string): void {
    if (this.#missed > 0) this.#machine.printk('warning', `${where}: ${this.#missed} callbacks suppressed`);
    this.#begin = now;
    this.#printed = 0;
    this.#missed = 0;
  }
}
