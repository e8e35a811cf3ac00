// How long to wait before the broker is tried again.

/** What {@link Backoff} goes by. */
export interface BackoffLimits {
  /** Longest first wait, in ms. */
  readonly firstMs: number;
  /** Longest wait of all, in ms. */
  readonly maxMs: number;
}

/**
 * Waits that double from try to try, each drawn from the upper half of its range: the daemons of a house, whose broker was
 * restarted, do not come back all at once.
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #ceilingMs: number;

  /** @param random numbers from 0 (included) to 1 (not included) */
  constructor(limits: BackoffLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#ceilingMs = limits.firstMs;
  }

  /** The next wait, in whole ms. */
  next(): number {
    const ceiling = this.#ceilingMs;
    this.#ceilingMs = Math.min(ceiling * 2, this.#limits.maxMs);
    return Math.round((ceiling / 2) * (1 + this.#random()));
  }

  /** Begins anew: the broker was there. */
  reset(): void {
    this.#ceilingMs = this.#limits.firstMs;
  }
}
