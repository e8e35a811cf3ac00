// Clocks and alarms: virtual time that jumps, and CLOCK_MONOTONIC driven by the host. All times are ns as numbers.
import { KernelError } from '../errno.js';
import { type Deadline, DeadlineHeap } from './deadline-heap.js';

/** One pending call at a time to come. Made by {@link Clock.createAlarm}, set again as often as needed. */
export interface Alarm {
  /** True from {@link schedule} until the callback is called or {@link cancel}. */
  readonly scheduled: boolean;
  /** When it is due, in ns of its clock; meaningless unless scheduled. */
  readonly dueNs: number;
  /** Sets it for `atNs`, rounded up to whole ns (in the past: as soon as possible), replacing an earlier setting. */
  schedule(atNs: number): void;
  cancel(): void;
}

/** A source of time. Alarms of equal deadline fire in the order in which they were set. */
export interface Clock {
  /** Ns since the clock's origin, never going back. */
  now(): number;
  /** What {@link now} said last. */
  readonly lastNs: number;
  createAlarm(callback: () => void): Alarm;
  /** Which of the host's turns it calls alarms in, from 1; 0 when it does not, or gives the host no turns. */
  readonly turn: number;
  /** Calls no further alarm in this turn: those that are due wait for the next one, in their order. */
  endTurn(): void;
  /** Keeps time still, where that is possible, until as many calls of {@link release}. */
  hold(): void;
  release(): void;
}

class QueuedAlarm implements Alarm, Deadline {
  dueNs = 0;
  order = 0;
  index = -1;
  readonly callback: () => void;
  readonly #queue: AlarmQueue;

  constructor(queue: AlarmQueue, callback: () => void) {
    this.#queue = queue;
    this.callback = callback;
  }

  get scheduled(): boolean {
    return this.index >= 0;
  }

  schedule(atNs: number): void {
    if (!(atNs >= 0 && atNs < Number.POSITIVE_INFINITY)) {
      throw new KernelError('EINVAL', `alarm at ${atNs} ns: not a time`);
    }
    this.#queue.put(this, Math.ceil(atNs));
  }

  cancel(): void {
    this.#queue.remove(this);
  }
}

/** Alarms by deadline, then by order of setting. */
export class AlarmQueue {
  readonly #heap = new DeadlineHeap<QueuedAlarm>();
  readonly #onEarliestChange: () => void;

  /** `onEarliestChange` is called when an alarm came in front of all others. */
  constructor(onEarliestChange: () => void = () => {}) {
    this.#onEarliestChange = onEarliestChange;
  }

  create(callback: () => void): Alarm {
    return new QueuedAlarm(this, callback);
  }

  get size(): number {
    return this.#heap.size;
  }

  /** Deadline of the first alarm, `Infinity` when there is none. */
  get nextDueNs(): number {
    return this.#heap.first?.dueNs ?? Number.POSITIVE_INFINITY;
  }

  /** Number of settings so far; see {@link fireOne}. */
  get settings(): number {
    return this.#heap.nextOrder;
  }

  /** Takes the first alarm out and calls it, if it is due at `nowNs` and among the first `settings` ever set; false when it is not. */
  fireOne(nowNs: number, settings = Number.POSITIVE_INFINITY): boolean {
    const { first } = this.#heap;
    if (first === undefined || first.dueNs > nowNs || first.order >= settings) return false;
    this.#heap.remove(first);
    first.callback();
    return true;
  }

  put(alarm: QueuedAlarm, atNs: number): void {
    if (this.#heap.put(alarm, atNs)) this.#onEarliestChange();
  }

  remove(alarm: QueuedAlarm): void {
    this.#heap.remove(alarm);
  }
}

/**
 * Time that stands still until it is advanced, and then jumps from alarm to alarm.
 *
 * While it is held (an async handler waits for a promise from outside the model) it cannot be advanced: `EAGAIN` from
 * {@link advance}, a wait in {@link advanceAsync}.
 */
export class VirtualClock implements Clock {
  readonly turn = 0;
  #now: number;
  #holds = 0;
  #released: (() => void)[] = [];
  readonly #alarms = new AlarmQueue();

  constructor(startNs = 0) {
    this.#now = startNs;
  }

  now(): number {
    return this.#now;
  }

  get lastNs(): number {
    return this.#now;
  }

  createAlarm(callback: () => void): Alarm {
    return this.#alarms.create(callback);
  }

  /** Deadline of the next alarm, `Infinity` when nothing is to come. */
  get nextDueNs(): number {
    return this.#alarms.nextDueNs;
  }

  endTurn(): void {}

  get held(): boolean {
    return this.#holds > 0;
  }

  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    if (this.#holds > 0) return;
    const waiting = this.#released;
    this.#released = [];
    for (const resume of waiting) resume();
  }

  /** Moves on to the next alarm at or before `limitNs` and calls it; false, and time at `limitNs`, when there is none. */
  step(limitNs: number): boolean {
    if (this.held) {
      throw new KernelError('EAGAIN', 'virtual time is held by an async handler that waits for a promise', {
        hint: 'advance with the async variant (advanceAsync, runAsync), which waits for it',
      });
    }
    const due = this.#alarms.nextDueNs;
    if (due > limitNs) {
      if (limitNs !== Number.POSITIVE_INFINITY) this.#now = Math.max(this.#now, limitNs);
      return false;
    }
    this.#now = Math.max(this.#now, due);
    return this.#alarms.fireOne(this.#now);
  }

  /** Moves time on by `ns`, calling every alarm on the way, those set on the way included. */
  advance(ns: number): void {
    const end = this.#endOf(ns);
    while (this.step(end));
  }

  /** As {@link advance}, waiting in between for async handlers to settle. */
  async advanceAsync(ns: number): Promise<void> {
    const end = this.#endOf(ns);
    do {
      await this.settled();
    } while (this.step(end));
  }

  /** Resolves when nothing holds the time. */
  async settled(): Promise<void> {
    while (this.held) await new Promise<void>((resolve) => this.#released.push(resolve));
  }

  #endOf(ns: number): number {
    if (!(ns >= 0 && ns < Number.POSITIVE_INFINITY)) {
      throw new KernelError('EINVAL', `cannot advance by ${ns} ns`);
    }
    return Math.ceil(this.#now + ns);
  }
}

/** What a {@link MonotonicClock} needs from its host. */
export interface HostTime {
  /** CLOCK_MONOTONIC in ns since an origin of the host's choice (one that keeps it under 2^53). */
  now(): number;
  /** Calls back once after `delayNs` or a little later, on the event loop. At most one is set at a time. */
  setTimer(delayNs: number, callback: () => void): void;
  clearTimer(): void;
}

/** CLOCK_MONOTONIC, the clock of the kernel's event stamps, with alarms on one timer of the host. */
export class MonotonicClock implements Clock {
  #lastNs = 0;
  readonly #host: HostTime;
  readonly #alarms: AlarmQueue;
  #firing = false;
  #turns = 0;
  #turnEnded = false;
  #stopped = false;

  constructor(host: HostTime) {
    this.#host = host;
    this.#alarms = new AlarmQueue(() => this.#arm());
  }

  now(): number {
    this.#lastNs = this.#host.now();
    return this.#lastNs;
  }

  get lastNs(): number {
    return this.#lastNs;
  }

  createAlarm(callback: () => void): Alarm {
    return this.#alarms.create(callback);
  }

  get turn(): number {
    return this.#firing ? this.#turns : 0;
  }

  endTurn(): void {
    this.#turnEnded = true;
  }

  /** Real time goes on. */
  hold(): void {}

  release(): void {}

  /** Calls no alarm any more, so that nothing keeps the process alive, whatever still comes in from hardware. For good. */
  stop(): void {
    this.#stopped = true;
    this.#host.clearTimer();
  }

  #arm(): void {
    if (this.#firing || this.#stopped) return;
    this.#host.clearTimer();
    const due = this.#alarms.nextDueNs;
    if (due === Number.POSITIVE_INFINITY) return;
    this.#host.setTimer(Math.max(0, due - this.now()), () => this.#fire());
  }

  /** Only what was set before and is due on entry is called: an alarm set for now by a callback waits a turn, so that I/O is served. */
  #fire(): void {
    const now = this.now();
    const { settings } = this.#alarms;
    this.#firing = true;
    this.#turns++;
    this.#turnEnded = false;
    try {
      while (!this.#stopped && !this.#turnEnded && this.#alarms.fireOne(now, settings));
    } finally {
      this.#firing = false;
      this.#arm();
    }
  }
}
