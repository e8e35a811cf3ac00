// GPPUD and GPPUDCLK of the BCM2835: pulls are clocked into the pads, with a set-up and a hold time.

/** Set-up and hold time of the pull control: 150 cycles of the 250 MHz core clock, in ns (datasheet, section 6.1). */
export const PULL_WAIT_NS = 600;

const RESERVED = 3;

/** The chip's own pull of a line. */
export type Pull = 'none' | 'up' | 'down';

/** Gives a line its new pull. */
export type ApplyPull = (line: number, pull: Pull) => void;

/** The registers that set the pulls, as a number of words of the register map. */
export interface PullRegisters {
  /** Offset of the first word in the GPIO block, and how many there are. */
  readonly first: number;
  readonly words: number;
  /** When {@link settle} is to be called next; `Infinity` for never. */
  readonly nextNs: number;
  /** Does what has become due by `nowNs`. */
  settle(nowNs: number): void;
  read(word: number): number;
  /** What has become due by `nowNs` must have been settled. */
  write(word: number, value: number, nowNs: number): void;
}

// Values of GPPUD.
const PULLS: readonly (Pull | undefined)[] = ['none', 'down', 'up', undefined];

/**
 * The sequence of the datasheet, checked: write GPPUD, wait 150 cycles, clock the lines, wait 150 cycles, take GPPUD
 * and the clock away. Where silicon would do the one or the other, the line keeps the pull it had, and there is a
 * warning that names the line.
 */
export class PullControl implements PullRegisters {
  readonly first: number;
  /** GPPUD, GPPUDCLK0, GPPUDCLK1. */
  readonly words = 3;
  /** When the oldest running hold time ends. */
  nextNs = Number.POSITIVE_INFINITY;

  #control = 0;
  readonly #clocks = new Uint32Array(2);
  readonly #holdUntilNs: Float64Array;
  readonly #apply: ApplyPull;
  readonly #warn: (message: string) => void;
  #controlChangedNs = Number.NEGATIVE_INFINITY;

  /** `first` is the offset of GPPUD. */
  constructor(first: number, lines: number, apply: ApplyPull, warn: (message: string) => void) {
    this.first = first;
    this.#holdUntilNs = new Float64Array(lines).fill(Number.POSITIVE_INFINITY);
    this.#apply = apply;
    this.#warn = warn;
  }

  read(word: number): number {
    return word === 0 ? this.#control : this.#clock(word - 1);
  }

  write(word: number, value: number, nowNs: number): void {
    if (word === 0) this.#writeControl(value, nowNs);
    else this.#writeClock(word - 1, value, nowNs);
  }

  /** GPPUDCLK of one bank. */
  #clock(bank: number): number {
    return this.#clocks[bank] ?? 0;
  }

  #writeControl(value: number, nowNs: number): void {
    const control = value & 3;
    if (control === this.#control) return;
    this.#cutHolds(0, this.#holdUntilNs.length, () => true, 'GPPUD changed', nowNs);
    this.#control = control;
    this.#controlChangedNs = nowNs;
  }

  #writeClock(bank: number, value: number, nowNs: number): void {
    const before = this.#clock(bank);
    const first = bank * 32;
    const last = Math.min(first + 32, this.#holdUntilNs.length);
    const after = (value & (2 ** (last - first) - 1)) >>> 0;
    this.#clocks[bank] = after;
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
      this.#apply(line, PULLS[this.#control] ?? 'none');
    }
    this.#findNext();
  }

  #clockLine(line: number, nowNs: number): void {
    const waited = nowNs - this.#controlChangedNs;
    if (this.#control === RESERVED) {
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
