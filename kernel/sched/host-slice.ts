// HostSlice: how long the model may run in real time before the host gets its turn, and I/O is served.
import type { Clock } from '../time/clock.js';

/** End of a slice that is not known yet: it begins with the first step, for which no edge has to wait. */
const NOT_STARTED = -1;
/** What interrupts may take in addition, once a slice is used up, as a part of it. */
const OVERTIME = 0.1;

/**
 * The slice that is under way.
 *
 * Most steps of a CPU read the clock, for its accounting or the trace: what they read last is looked at, and the clock
 * itself only behind a step that did not read it.
 */
export class HostSlice {
  /** The slice is used up: no CPU goes on before the host had its turn. */
  over = false;
  readonly #clock: Clock;
  readonly #lengthNs: number;
  #endNs = NOT_STARTED;
  #turn = 0;
  /** What the clock said at the last step. */
  #lastNs = 0;

  constructor(clock: Clock, lengthNs: number) {
    this.#clock = clock;
    this.#lengthNs = lengthNs;
  }

  /** All alarms of one turn share a slice, from the beginning of the turn; what comes from hardware has one of its own. */
  begin(): void {
    const { turn, lastNs } = this.#clock;
    this.over = false;
    this.#lastNs = lastNs;
    if (turn !== 0 && turn === this.#turn) return;
    this.#turn = turn;
    this.#endNs = turn === 0 ? NOT_STARTED : lastNs + this.#lengthNs;
  }

  /** Interrupts have used up what they may take beyond the slice. */
  get overdrawn(): boolean {
    return this.#endNs !== NOT_STARTED && this.#clock.lastNs > this.#endNs + this.#lengthNs * OVERTIME;
  }

  /** Called after each step of a CPU; true when the slice is used up. */
  stepDone(): boolean {
    const { lastNs } = this.#clock;
    const now = lastNs === this.#lastNs ? this.#clock.now() : lastNs;
    this.#lastNs = now;
    if (this.#endNs === NOT_STARTED) this.#endNs = now + this.#lengthNs;
    else if (now >= this.#endNs) this.over = true;
    return this.over;
  }
}
