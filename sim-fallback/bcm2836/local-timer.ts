// The two timers in the per-core block of the BCM2836: the count for the cores' own timers, and one that reloads and interrupts.
import type { Alarm, Clock } from '../../kernel/time/clock.js';

/** The crystal, in Hz. */
export const CRYSTAL_HZ = 19_200_000;
/** The local timer counts both edges of the crystal. */
export const LOCAL_TIMER_HZ: number = 2 * CRYSTAL_HZ;

const NSEC_PER_SEC = 1_000_000_000;
const TWO_32 = 2 ** 32;
/** A prescaler of 2^31 divides by 1, a smaller one by more. */
const PRESCALER_ONE = 2 ** 31;

/** The 64-bit counter that the cores' own timers compare with. */
export class CoreCounter {
  readonly #clock: Clock;
  /** Count at a moment, and ticks in a ns since. */
  #atNs: number;
  #count = 0;
  #prescaler = 0;
  #step = 1;
  /** Halves that are latched: the upper by a read of the lower, the lower until the upper is written. */
  #readHigh = 0;
  #writeLow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atNs = clock.now();
  }

  get prescaler(): number {
    return this.#prescaler;
  }

  /** Sets the divider, 0 (stands still) to 2^32 - 1, and by how much each tick counts: 1 or 2. */
  setRate(prescaler: number, step: number): void {
    this.#set(this.#now());
    this.#prescaler = prescaler;
    this.#step = step;
  }

  readLow(): number {
    const count = this.#now();
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
  }

  #now(): number {
    const ticks = ((this.#clock.now() - this.#atNs) * CRYSTAL_HZ * (this.#prescaler / PRESCALER_ONE)) / NSEC_PER_SEC;
    return this.#count + Math.floor(ticks) * this.#step;
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
