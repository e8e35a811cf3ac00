// The two timers in the per-core block of the BCM2836: the count for the cores' own timers, and one that reloads and interrupts.
import type { Alarm, Clock } from '../../kernel/time/clock.js';

/** The crystal, in Hz. */
export const CRYSTAL_HZ = 19_200_000;
/** The local timer counts both edges of the crystal. */
export const LOCAL_TIMER_HZ: number = 2 * CRYSTAL_HZ;

const NSEC_PER_SEC = 1_000_000_000;
const TWO_32 = 2 ** 32;
/** A prescaler of 2^31 divides by 1, a smaller one by more. */
export const PRESCALER_ONE: number = 2 ** 31;

/** The 64-bit counter that the cores' own timers compare with. It stands still until it is given a rate. */
export class CoreCounter {
  /** Called when the count or its rate was changed. */
  onChange: () => void = () => {};
  readonly hz: number;
  readonly #clock: Clock;
  /** Count at a moment, and ticks in a ns since. */
  #atNs: number;
  #count = 0;
  #prescaler = 0;
  #step = 1;
  /** Halves that are latched: the upper by a read of the lower, the lower until the upper is written. */
  #readHigh = 0;
  #writeLow = 0;

  /** `hz` is the frequency of its source. */
  constructor(clock: Clock, hz: number) {
    this.#clock = clock;
    this.hz = hz;
    this.#atNs = clock.now();
  }

  get count(): number {
    return this.#count + Math.floor(((this.#clock.now() - this.#atNs) * this.#hzNow) / NSEC_PER_SEC) * this.#step;
  }

  /** When the counter will be at `count` or past it, in whole ns; `Infinity` if it stands still. */
  nsOf(count: number): number {
    if (this.#prescaler === 0) return Number.POSITIVE_INFINITY;
    const ticks = Math.ceil((count - this.#count) / this.#step);
    // One ns later where the division came out too low.
    return Math.max(Math.ceil(this.#atNs + (ticks * NSEC_PER_SEC) / this.#hzNow), this.#clock.now() + 1);
  }

  get prescaler(): number {
    return this.#prescaler;
  }

  /** Sets the divider, 0 (stands still) to 2^32 - 1, and by how much each tick counts: 1 or 2. */
  setRate(prescaler: number, step: number): void {
    this.#set(this.count);
    this.#prescaler = prescaler;
    this.#step = step;
    this.onChange();
  }

  readLow(): number {
    const { count } = this;
    this.#readHigh = Math.floor(count / TWO_32) % TWO_32;
    return count % TWO_32;
  }

  readHigh(): number {
    return this.#readHigh;
  }

  writeLow(value: number): void {
    this.#writeLow = value;
  }

  writeHigh(value: number): void {
    this.#set(value * TWO_32 + this.#writeLow);
    this.onChange();
  }

  get #hzNow(): number {
    return this.hz * (this.#prescaler / PRESCALER_ONE);
  }

  #set(count: number): void {
    this.#count = count;
    this.#atNs = this.#clock.now();
  }
}

// Fields of its control register.
const RELOAD = 0x0fff_ffff;
const TIMER_ENABLE = 1 << 28;
const INTERRUPT_ENABLE = 1 << 29;
const INTERRUPT_FLAG = 2 ** 31;
// Fields of its write-only register.
const CLEAR_FLAG = 2 ** 31;
const RELOAD_NOW = 1 << 30;

/** The local timer: counts down from its reload value, sets its flag, and begins again. */
export class LocalTimer {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #changed: () => void;
  #control = 0;
  #flag = false;
  /** When the present period began, and how many have ended since. */
  #startNs = 0;
  #periods = 0;

  /** `changed` is called when {@link asserted} may have changed. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
    this.#alarm = clock.createAlarm(() => this.#expire());
  }

  /** Its interrupt output. */
  get asserted(): boolean {
    return this.#flag && (this.#control & INTERRUPT_ENABLE) !== 0;
  }

  read(): number {
    return (this.#control >>> 0) + (this.#flag ? INTERRUPT_FLAG : 0);
  }

  /** Reload value, timer enable and interrupt enable; the flag is not written here. */
  writeControl(value: number): void {
    const before = this.#control;
    this.#control = value & (RELOAD | TIMER_ENABLE | INTERRUPT_ENABLE);
    if (((before ^ this.#control) & TIMER_ENABLE) !== 0) this.#restart();
    this.#changed();
  }

  /** Clears the flag, and begins a new period, as the bits say. */
  writeFlags(value: number): void {
    if (value >>> 0 >= CLEAR_FLAG) this.#flag = false;
    if ((value & RELOAD_NOW) !== 0) this.#restart();
    this.#changed();
  }

  #restart(): void {
    this.#startNs = this.#clock.now();
    this.#periods = 0;
    this.#arm();
  }

  #arm(): void {
    const reload = this.#control & RELOAD;
    if ((this.#control & TIMER_ENABLE) === 0 || reload === 0) this.#alarm.cancel();
    else this.#alarm.schedule(this.#startNs + ((this.#periods + 1) * reload * NSEC_PER_SEC) / LOCAL_TIMER_HZ);
  }

  /** The reload value is taken at the end of a period: one that was written meanwhile counts from here. */
  #expire(): void {
    this.#flag = true;
    this.#periods++;
    this.#arm();
    this.#changed();
  }
}
