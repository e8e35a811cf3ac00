// GPPUD and GPPUDCLK of the BCM2835: pulls are clocked into the pads, with a set-up and a hold time.

/** Set-up and hold time of the pull control: 150 cycles of the 250 MHz core clock, in ns (datasheet, section 6.1). */
export const PULL_WAIT_NS = 600;

const RESERVED = 3;

/** Gives a line its new pull: 0 off, 1 down, 2 up. */
export type ApplyPull = (line: number, pull: number) => void;

/**
 * The sequence of the datasheet, checked: write GPPUD, wait 150 cycles, clock the lines, wait 150 cycles, take GPPUD
 * and the clock away. Where silicon would do the one or the other, the line keeps the pull it had, and there is a
 * warning that names the line.
 */
export class PullControl {
  /** GPPUD. */
  control = 0;
  /** When the oldest running hold time ends; `Infinity` when none runs. */
  nextNs = Number.POSITIVE_INFINITY;

  readonly #clocks = new Uint32Array(2);
  readonly #holdUntilNs: Float64Array;
  readonly #apply: ApplyPull;
  readonly #warn: (message: string) => void;
  #controlChangedNs = Number.NEGATIVE_INFINITY;

  constructor(lines: number, apply: ApplyPull, warn: (message: string) => void) {
    this.#holdUntilNs = new Float64Array(lines).fill(Number.POSITIVE_INFINITY);
    this.#apply = apply;
    this.#warn = warn;
  }

  /** GPPUDCLK of one bank. */
  clock(bank: number): number {
    return this.#clocks[bank] ?? 0;
  }

  /** Write to GPPUD. Hold times that have ended by `nowNs` must have been settled. */
  writeControl(value: number, nowNs: number): void {
    const control = value & 3;
    if (control === this.control) return;
    this.#cutHolds(0, this.#holdUntilNs.length, () => true, 'GPPUD changed', nowNs);
    this.control = control;
    this.#controlChangedNs = nowNs;
  }

  /** Write to GPPUDCLK of one bank; `mask` are its lines. */
  writeClock(bank: number, value: number, mask: number, nowNs: number): void {
    const before = this.clock(bank);
    const after = (value & mask) >>> 0;
    this.#clocks[bank] = after;
    const first = bank * 32;
    const last = Math.min(first + 32, this.#holdUntilNs.length);
    this.#cutHolds(first, last, (line) => ((after >>> (line - first)) & 1) === 0, 'GPPUDCLK removed', nowNs);
    for (let line = first; line < last; line++) {
      if (((after & ~before) >>> (line - first)) & 1) this.#clockLine(line, nowNs);
    }
    this.#findNext();
  }

  /** Applies the pull to the lines whose hold time ends by `nowNs`. */
  settle(nowNs: number): void {
    for (let line = 0; line < this.#holdUntilNs.length; line++) {
      if ((this.#holdUntilNs[line] ?? Number.POSITIVE_INFINITY) > nowNs) continue;
      this.#holdUntilNs[line] = Number.POSITIVE_INFINITY;
      this.#apply(line, this.control);
    }
    this.#findNext();
  }

  #clockLine(line: number, nowNs: number): void {
    const waited = nowNs - this.#controlChangedNs;
    if (this.control === RESERVED) {
      this.#warn(`GPIO${line}: clocked with the reserved GPPUD value 3; the pull stays as it was`);
    } else if (waited < PULL_WAIT_NS) {
      this.#warn(
        `GPIO${line}: clocked ${waited} ns after GPPUD changed, set-up is ${PULL_WAIT_NS} ns; the pull stays as it was`,
      );
    } else {
      this.#holdUntilNs[line] = nowNs + PULL_WAIT_NS;
    }
  }

  #cutHolds(first: number, last: number, cut: (line: number) => boolean, what: string, nowNs: number): void {
    for (let line = first; line < last; line++) {
      const until = this.#holdUntilNs[line] ?? Number.POSITIVE_INFINITY;
      if (until === Number.POSITIVE_INFINITY || !cut(line)) continue;
      this.#holdUntilNs[line] = Number.POSITIVE_INFINITY;
      const held = nowNs - (until - PULL_WAIT_NS);
      this.#warn(
        `GPIO${line}: ${what} ${held} ns after the clock, hold is ${PULL_WAIT_NS} ns; the pull stays as it was`,
      );
    }
    this.#findNext();
  }

  #findNext(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const until of this.#holdUntilNs) if (until < next) next = until;
    this.nextNs = next;
  }
}
