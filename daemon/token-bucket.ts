// A token bucket, in the time of whoever asks: what limits the rate of actions, requests, commands and messages.

/** How much a bucket lets through. */
export interface BucketRate {
  /** Tokens that come in `perNs`, evenly; more than 0. */
  readonly rate: number;
  /** More than 0. */
  readonly perNs: number;
  /** Tokens that it holds, and has at first, at least 1; default: `rate`. */
  readonly burst?: number;
}

/** Lets `burst` through at once, and `rate` in each `perNs` over long. Allocates nothing. */
export class TokenBucket {
  /** How many were turned away. */
  refused = 0;
  readonly #rate: number;
  readonly #perNs: number;
  readonly #burst: number;
  #tokens: number;
  #lastNs = Number.NEGATIVE_INFINITY;

  constructor({ rate, perNs, burst = rate }: BucketRate) {
    this.#rate = rate;
    this.#perNs = perNs;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token. @param nowNs of any clock; one that goes back brings no tokens. @returns whether there was one */
  take(nowNs: number): boolean {
    const passedNs = Math.max(0, nowNs - this.#lastNs);
    this.#lastNs = Math.max(this.#lastNs, nowNs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedNs * this.#rate) / this.#perNs);
    // A token that is filled in parts is whole although its parts, in binary, do not quite sum up to one.
    if (this.#tokens < 1 - 1e-9) {
      this.refused++;
      return false;
    }
    this.#tokens -= 1;
    return true;
  }
}
