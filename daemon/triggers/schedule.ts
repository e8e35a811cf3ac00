// A schedule: its times by the wall clock, which can be set, while the machine can sleep.
import type { StartTimer } from '../bridge/bursts.js';
import { formatApproximate } from '../config/duration.js';

/** Longest wait: a clock that was set is noticed within this. */
const LOOK_MS = 30_000;
/** A run that is no later than this is not missed. */
const LATE_MS = 60_000;
/** A clock that is set back by less than this, as when an hour too much is taken back, brings no run a second time. */
const AGAIN_MS = 3_600_000;
/** Runs that are counted, of those that were missed. */
const COUNTED_MAX = 1_000;

/** What a schedule lives by. */
export interface ScheduleOptions {
  /** The next time after one, in ms since 1970; undefined when there is none. */
  readonly next: (ms: number) => number | undefined;
  /** Run once for all that was missed. */
  readonly catchUp: boolean;
  /** Ms since 1970 by the wall clock. */
  readonly wallMs: () => number;
  readonly startTimer: StartTimer;
  readonly run: () => void;
  /** Told in a sentence what came otherwise than planned. */
  readonly warn: (text: string) => void;
}

/** Runs at its times until it is stopped. */
export class Schedule {
  readonly #options: ScheduleOptions;
  #nextMs: number | undefined;
  /** What the wall clock showed when it was looked at last, how long was waited since, and the newest time that was dealt with. */
  #seenMs: number;
  #waitedMs = 0;
  #doneMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#seenMs = options.wallMs();
    this.#nextMs = options.next(this.#seenMs);
    this.#wait();
  }

  /** In ms since 1970; undefined when it comes no more. */
  get nextMs(): number | undefined {
    return this.#nextMs;
  }

  stop(): void {
    this.#cancel();
    this.#nextMs = undefined;
  }

  #wait(): void {
    const dueMs = this.#nextMs;
    if (dueMs === undefined) return;
    this.#waitedMs = Math.max(1, Math.min(LOOK_MS, dueMs - this.#seenMs));
    this.#cancel = this.#options.startTimer(() => this.#look(), this.#waitedMs);
  }

  #look(): void {
    const nowMs = this.#options.wallMs();
    const backMs = this.#seenMs + this.#waitedMs - nowMs;
    this.#seenMs = nowMs;
    if (backMs > 0) this.#setBack(nowMs, backMs);
    const dueMs = this.#nextMs;
    if (dueMs !== undefined && nowMs >= dueMs) this.#due(dueMs, nowMs);
    this.#wait();
  }

  /** Time that comes a second time brings its runs again if it is much, and not if it is little. */
  #setBack(nowMs: number, backMs: number): void {
    const { next, warn } = this.#options;
    const again = this.#doneMs - nowMs > AGAIN_MS;
    this.#nextMs = next(again ? nowMs : Math.max(nowMs, this.#doneMs));
    if (again) this.#doneMs = Number.NEGATIVE_INFINITY;
    if (backMs > LATE_MS) warn(`the clock was set back by ${formatApproximate(backMs * 1e6)}`);
  }

  #due(dueMs: number, nowMs: number): void {
    const { next, catchUp, run, warn } = this.#options;
    let missed = 0;
    let lastMs = dueMs;
    for (let at: number | undefined = dueMs; at !== undefined && at <= nowMs && missed < COUNTED_MAX; at = next(at)) {
      missed++;
      lastMs = at;
    }
    // The newest of them is not missed, if it is only just over.
    const inTime = nowMs - lastMs <= LATE_MS;
    if (inTime) missed--;
    this.#doneMs = nowMs;
    this.#nextMs = next(nowMs);
    if (missed > 0) {
      const runs = missed === 1 ? '1 run was' : `${missed >= COUNTED_MAX - 1 ? 'many' : missed} runs were`;
      const then = inTime || catchUp ? 'it runs now' : 'it runs at its next time';
      warn(
        `${runs} missed while the machine was suspended, its clock was set forward, or the daemon was held up; ${then}`,
      );
    }
    if (inTime || catchUp) run();
  }
}
