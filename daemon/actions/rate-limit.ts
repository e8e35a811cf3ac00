// Rate limits: a token bucket, in the time of whoever asks.
import type { RateLimit } from '../config/action-types.js';

/** Holds as many tokens as a window may have runs, full at first, and fills evenly. Allocates nothing. */
export class TokenBucket {
  readonly #rate: number;
  readonly #perNs: number;
  #tokens: number;
  #lastNs = Number.NEGATIVE_INFINITY;

  constructor({ rate, perNs }: RateLimit) {
    this.#rate = rate;
    this.#perNs = perNs;
    this.#tokens = rate;
  }

  /** Takes a token. @param nowNs must not go back. @returns whether there was one */
  take(nowNs: number): boolean {
    const passedNs = Math.max(0, nowNs - this.#lastNs);
    this.#lastNs = Math.max(this.#lastNs, nowNs);
    this.#tokens = Math.min(this.#rate, this.#tokens + (passedNs * this.#rate) / this.#perNs);
    // A token that is filled in parts is whole although its parts, in binary, do not quite sum up to one.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens -= 1;
    return true;
  }
}
