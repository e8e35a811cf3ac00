// So many a second and no more, of what comes from outside.

/** A bucket of tokens, filled at a steady rate: whoever finds it empty is turned away. */
export class RateLimit {
  /** How many were turned away. */
  refused = 0;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  #tokens: number;
  #filledMs: number;

  /**
   * @param perSecond tokens that come in a second
   * @param burst tokens that the bucket holds
   * @param nowMs a clock that only goes forward
   */
  constructor(perSecond: number, burst: number, nowMs: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#nowMs = nowMs;
    this.#tokens = burst;
    this.#filledMs = nowMs();
  }

  /** Takes a token. @returns false when there is none */
  take(): boolean {
    const now = this.#nowMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledMs) * this.#perSecond) / 1000);
    this.#filledMs = now;
    if (this.#tokens < 1) {
      this.refused++;
      return false;
    }
    this.#tokens--;
    return true;
  }
}
