// An LED with its series resistor: whether it is lit, since when, and for what part of the time.
import { KernelError } from '../../kernel/errno.js';
import type { Clock } from '../../kernel/time/clock.js';
import type { PadLevel } from '../bcm2835/pads.js';

/** Changes that an LED remembers. */
export const LED_LOG_MAX = 1024;

/** Told when an LED goes on or off, with the time in ns of the board's clock. */
export type LedListener = (lit: boolean, atNs: number) => void;

/** One entry of the log. */
export interface LedChange {
  readonly atNs: number;
  readonly lit: boolean;
}

/** An LED between a pad and ground, or with `activeLow` between 3.3 V and the pad. Lit only by a driven pad, never by a pull. */
export class Led {
  readonly name: string;
  readonly #clock: Clock;
  readonly #litLevel: PadLevel;
  /** Ring of the times of the last changes; they alternate, so the last state gives all others. */
  readonly #changedNs = new Float64Array(LED_LOG_MAX);
  readonly #startNs: number;
  #listeners: LedListener[] = [];
  #changes = 0;
  #lit = false;
  #onNs = 0;

  constructor(name: string, clock: Clock, activeLow: boolean) {
    this.name = name;
    this.#clock = clock;
    this.#litLevel = activeLow ? 0 : 1;
    this.#startNs = clock.now();
  }

  get lit(): boolean {
    return this.#lit;
  }

  /** How often it went on or off since the board was made. */
  get changes(): number {
    return this.#changes;
  }

  /** Time lit since the board was made, in ns. */
  get onNs(): number {
    return this.#lit ? this.#onNs + this.#clock.now() - this.#changeAt(this.#changes - 1) : this.#onNs;
  }

  /** The last changes, oldest first, at most {@link LED_LOG_MAX}. Allocates. */
  log(): LedChange[] {
    const log: LedChange[] = [];
    for (let i = Math.max(0, this.#changes - LED_LOG_MAX); i < this.#changes; i++) {
      log.push({ atNs: this.#changeAt(i), lit: this.#litAfter(i) });
    }
    return log;
  }

  /**
   * Part of the last `windowNs` in which it was lit, 0 to 1; of its whole life when it is younger. `EINVAL` when the window
   * is not a positive time, `ERANGE` when the log does not reach back so far.
   */
  duty(windowNs: number): number {
    if (!(windowNs > 0)) {
      throw new KernelError('EINVAL', `window ${windowNs} ns: not a time`, { hint: 'give nanoseconds, more than 0' });
    }
    const now = this.#clock.now();
    const from = Math.max(now - windowNs, this.#startNs);
    if (now === from) return this.#lit ? 1 : 0;
    const oldest = Math.max(0, this.#changes - LED_LOG_MAX);
    if (oldest > 0 && this.#changeAt(oldest) > from) {
      throw new KernelError('ERANGE', `${this.name} changed more than ${LED_LOG_MAX} times in ${windowNs} ns`, {
        hint: 'ask for a shorter window, or take the difference of onNs yourself',
        subject: this.name,
      });
    }
    let on = 0;
    let until = now;
    for (let i = this.#changes - 1; i >= oldest && until > from; i--) {
      const since = Math.max(this.#changeAt(i), from);
      if (this.#litAfter(i)) on += until - since;
      until = since;
    }
    return on / (now - from);
  }

  /** Calls `listener` at every change until the returned function is called. */
  onChange(listener: LedListener): () => void {
    // An own function for each call: the same listener may listen twice.
    const own: LedListener = (lit, atNs) => listener(lit, atNs);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== own);
    };
  }

  /** The pad that it hangs on has changed. */
  readonly padChanged = (level: PadLevel, driven: boolean): void => {
    const lit = driven && level === this.#litLevel;
    if (lit === this.#lit) return;
    const now = this.#clock.now();
    if (!lit) this.#onNs += now - this.#changeAt(this.#changes - 1);
    this.#changedNs[this.#changes % LED_LOG_MAX] = now;
    this.#changes++;
    this.#lit = lit;
    const listeners = this.#listeners;
    for (let i = 0; i < listeners.length; i++) listeners[i]?.(lit, now);
  };

  #changeAt(index: number): number {
    return this.#changedNs[index % LED_LOG_MAX] ?? 0;
  }

  /** It starts dark, so changes with an even index (from 0) light it. */
  #litAfter(index: number): boolean {
    return index % 2 === 0;
  }
}
