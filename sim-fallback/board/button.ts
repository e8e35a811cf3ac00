// A push button: a contact that closes and opens, with bounce when asked for.
import { KernelError } from '../../kernel/errno.js';
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import { BOUNCE_TRACE_MAX, type BounceOptions, bounceOptions, drawBounces } from './bounce.js';
import type { Prng } from './prng.js';

/** How a button is let go. */
export interface ReleaseOptions {
  /** The contact bounces: `true` as the button's description says. Default false, one clean edge. */
  readonly bounce?: boolean | BounceOptions;
}

/** How a button is pressed. */
export interface PressOptions extends ReleaseOptions {
  /** Let go by itself after so many ns (whole, at least 1), with the same bounce; without it, at `release`. */
  readonly holdNs?: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** A switch with one contact. Deterministic: the same seed and the same calls give the same edges. */
export class Button {
  readonly name: string;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #prng: Prng;
  readonly #contact: (closed: boolean) => void;
  readonly #bounce: Required<BounceOptions>;
  readonly #trace = new Float64Array(BOUNCE_TRACE_MAX);
  #traceLength = 0;
  #traceNext = 0;
  #movedAtNs = 0;
  #dueNs = NEVER;
  #pressed = false;
  #presses = 0;
  #closed = false;
  #releaseAtNs = NEVER;
  #releaseBounce: Required<BounceOptions> | undefined;

  /**
   * `contact` is told each time the contact closes (true) or opens; `bounce` is how it bounces where a press or release
   * says `bounce: true`.
   */
  constructor(name: string, clock: Clock, prng: Prng, contact: (closed: boolean) => void, bounce: BounceOptions = {}) {
    this.#bounce = bounceOptions(bounce);
    this.name = name;
    this.#clock = clock;
    this.#prng = prng;
    this.#contact = contact;
    this.#alarm = clock.createAlarm(() => this.#run());
  }

  /** True while a finger is on it, whatever the contact does. */
  get pressed(): boolean {
    return this.#pressed;
  }

  /**
   * Presses now. `EBUSY` when it is pressed already, `EINVAL` for options out of range.
   *
   * @returns tells at any time whether the contact is still to move by itself for this press: it bounces, or is let go when its hold
   *   time is over
   */
  press(options: PressOptions = {}): () => boolean {
    const { holdNs } = options;
    if (holdNs !== undefined && !(Number.isSafeInteger(holdNs) && holdNs >= 1)) {
      throw new KernelError('EINVAL', `holdNs ${holdNs}: not a time to hold ${this.name}`, {
        hint: 'give whole nanoseconds, at least 1',
        subject: this.name,
      });
    }
    const bounce = this.#bounceOf(options.bounce);
    if (this.#pressed) {
      throw new KernelError('EBUSY', `${this.name} is pressed already`, {
        hint: 'release it first, or wait until its hold time is over',
        subject: this.name,
      });
    }
    this.#releaseAtNs = NEVER;
    this.#releaseBounce = bounce;
    const number = ++this.#presses;
    this.#move(true, bounce);
    if (holdNs !== undefined && this.#pressed) {
      // From now, and not from the call: a process that stood still meanwhile would let go before the chip has looked.
      this.#releaseAtNs = this.#clock.now() + holdNs;
      this.#rearm();
    }
    // The next press ends what is left of the bounce.
    return () => this.#presses === number && this.#alarm.scheduled;
  }

  /** Lets go now; nothing happens when it is not pressed. */
  release(options: ReleaseOptions = {}): void {
    const bounce = this.#bounceOf(options.bounce);
    if (!this.#pressed) return;
    this.#releaseAtNs = NEVER;
    this.#move(false, bounce);
  }

  /** The finger moves: a bounce that still runs ends, and the contact goes to its new place. */
  #move(pressed: boolean, bounce: Required<BounceOptions> | undefined): void {
    this.#pressed = pressed;
    this.#movedAtNs = this.#clock.now();
    this.#traceNext = 0;
    this.#traceLength = bounce === undefined ? 0 : drawBounces(bounce, this.#prng, this.#trace);
    this.#rearm();
    this.#setContact(pressed);
  }

  #run(): void {
    const now = this.#clock.now();
    // What is still to come keeps its distance: of a process that stood still, the chip would see a whole press at one instant.
    const lateNs = now - this.#dueNs;
    this.#movedAtNs += lateNs;
    this.#releaseAtNs += lateNs;
    if (this.#releaseAtNs <= now) {
      this.release(this.#releaseBounce === undefined ? {} : { bounce: this.#releaseBounce });
      return;
    }
    this.#traceNext++;
    this.#rearm();
    this.#setContact(!this.#closed);
  }

  #rearm(): void {
    const toggle = this.#traceNext < this.#traceLength ? this.#movedAtNs + (this.#trace[this.#traceNext] ?? 0) : NEVER;
    this.#dueNs = Math.ceil(Math.min(toggle, this.#releaseAtNs));
    if (this.#dueNs === NEVER) this.#alarm.cancel();
    else this.#alarm.schedule(this.#dueNs);
  }

  #bounceOf(bounce: boolean | BounceOptions | undefined): Required<BounceOptions> | undefined {
    if (bounce === undefined || bounce === false) return undefined;
    return bounce === true ? this.#bounce : bounceOptions(bounce);
  }

  #setContact(closed: boolean): void {
    if (closed === this.#closed) return;
    this.#closed = closed;
    this.#contact(closed);
  }
}
