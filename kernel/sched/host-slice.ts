// HostSlice: how long the model may run in real time before the host gets its turn, and I/O is served.
import type { Clock } from '../time/clock.js';
import type { LastLook } from '../time/last-look.js';

/** End of a slice that is not known yet: it begins with the first step, for which no edge has to wait. */
const NOT_STARTED = -1;
/** What interrupts may take in addition, once a slice is used up, as a part of it. */
const OVERTIME = 0.1;

/** The slice that is under way. */
export class HostSlice {
  /** The slice is used up: no CPU goes on before the host had its turn. */
  over = false;
  readonly #clock: Clock;
  readonly #look: LastLook;
  readonly #lengthNs: number;
  #endNs = NOT_STARTED;
  #turn = 0;

  constructor(clock: Clock, look: LastLook, lengthNs: number) {
    this.#clock = clock;
    this.#look = look;
    this.#lengthNs = lengthNs;
  }

  /** All alarms of one turn share a slice, from the beginning of the turn; what comes from hardware has one of its own. */
  begin(): void {
    const { turn, lastNs } = this.#clock;
    this.over = false;
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
    this.#look.renew();
    const now = this.#clock.lastNs;
    if (this.#endNs === NOT_STARTED) this.#endNs = now + this.#lengthNs;
    else if (now >= this.#endNs) this.over = true;
    return this.over;
  }
}
