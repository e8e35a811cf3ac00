// The system timer of the BCM2835 ("BCM2835 ARM Peripherals", chapter 12): a counter of microseconds and four compares.
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import { type Peripheral, wrongRead, wrongWrite } from './bus.js';

// Register offsets.
export const SYSTIMER_CS = 0x00; // control and status: bit n is set when compare n has matched, write 1 to clear
export const SYSTIMER_CLO = 0x04; // the counter, bits 0-31, read only
export const SYSTIMER_CHI = 0x08; // the counter, bits 32-63, read only
export const SYSTIMER_C0 = 0x0c; // compares, with bits 0-31 of the counter
export const SYSTIMER_C1 = 0x10;
export const SYSTIMER_C2 = 0x14;
export const SYSTIMER_C3 = 0x18;

/** ARM physical address of the timer on Pi 0 and 1. */
export const SYSTIMER_BASE = 0x2000_3000;
/** Length of the register map in bytes. */
export const SYSTIMER_SIZE = 0x1c;
/** Compares; the GPU uses 0 and 2, and leaves 1 and 3 to the ARM. */
export const SYSTIMER_COMPARES = 4;
/** The counter has a clock of 1 MHz. */
export const SYSTIMER_TICK_NS = 1_000;

const MATCHES = (1 << SYSTIMER_COMPARES) - 1;
const TWO_32 = 2 ** 32;

/** What the timer needs from the chip around it. */
export interface SystemTimerOptions {
  readonly clock: Clock;
  /** Told of every access that a datasheet would call a mistake. */
  readonly warn: (message: string) => void;
  /** Interrupt outputs, one a compare: levels, asserted while the match bit is set. Called when one changes; may access registers. */
  readonly onIrq: (compare: number, asserted: boolean) => void;
  /** Physical address, as warnings have it; default {@link SYSTIMER_BASE}. */
  readonly base?: number;
}

/**
 * The free-running counter and its compares.
 *
 * A compare matches when the low half of the counter gets its value, and so again every 71.6 minutes: one that is written
 * behind the counter waits until it has wrapped. A compare that was never written matches nothing, as its value after reset
 * is not defined.
 */
export class SystemTimer implements Peripheral {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #warn: (message: string) => void;
  readonly #onIrq: (compare: number, asserted: boolean) => void;
  readonly #base: number;
  readonly #compares = new Uint32Array(SYSTIMER_COMPARES);
  /** Count of all 64 bits at which each compare matches next; `Infinity` for one that was never written. */
  readonly #nextMatch = new Float64Array(SYSTIMER_COMPARES).fill(Number.POSITIVE_INFINITY);
  #matched = 0;
  #irqs = 0;

  constructor(options: SystemTimerOptions) {
    this.#clock = options.clock;
    this.#warn = options.warn;
    this.#onIrq = options.onIrq;
    this.#base = options.base ?? SYSTIMER_BASE;
    this.#alarm = options.clock.createAlarm(() => this.#catchUp());
  }

  /** Reads the register at `offset`. What is not mapped gives 0 and a warning. */
  read32(offset: number): number {
    this.#catchUp();
    switch (offset) {
      case SYSTIMER_CS:
        return this.#matched;
      case SYSTIMER_CLO:
        return this.#count() % TWO_32;
      case SYSTIMER_CHI:
        return Math.floor(this.#count() / TWO_32) % TWO_32;
      case SYSTIMER_C0:
      case SYSTIMER_C1:
      case SYSTIMER_C2:
      case SYSTIMER_C3:
        return this.#compares[(offset - SYSTIMER_C0) / 4] ?? 0;
      default:
        this.#warnAccess(wrongRead(offset), offset);
        return 0;
    }
  }

  /** Writes the register at `offset`. What cannot be written changes nothing, with a warning. */
  write32(offset: number, value: number): void {
    this.#catchUp();
    switch (offset) {
      case SYSTIMER_CS:
        this.#matched &= ~value;
        this.#update();
        return;
      case SYSTIMER_C0:
      case SYSTIMER_C1:
      case SYSTIMER_C2:
      case SYSTIMER_C3:
        this.#setCompare((offset - SYSTIMER_C0) / 4, value >>> 0);
        return;
      case SYSTIMER_CLO:
      case SYSTIMER_CHI:
        this.#warnAccess('write to read-only', offset);
        return;
      default:
        this.#warnAccess(wrongWrite(offset), offset);
    }
  }

  /** The 64-bit counter: exact for the first 285 years. */
  #count(): number {
    return Math.floor(this.#clock.now() / SYSTIMER_TICK_NS);
  }

  #setCompare(compare: number, value: number): void {
    this.#compares[compare] = value;
    const count = this.#count();
    const ahead = (value - (count % TWO_32) + TWO_32) % TWO_32;
    this.#nextMatch[compare] = count + (ahead === 0 ? TWO_32 : ahead);
    this.#arm();
  }

  /** Sets the match bits of the compares that the counter has passed since it was looked at. */
  #catchUp(): void {
    const count = this.#count();
    let due = false;
    for (let i = 0; i < SYSTIMER_COMPARES; i++) {
      const next = this.#nextMatch[i] ?? Number.POSITIVE_INFINITY;
      if (next > count) continue;
      due = true;
      this.#matched |= 1 << i;
      this.#nextMatch[i] = next + (Math.floor((count - next) / TWO_32) + 1) * TWO_32;
    }
    if (!due) return;
    this.#arm();
    this.#update();
  }

  #arm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const match of this.#nextMatch) if (match < next) next = match;
    if (next === Number.POSITIVE_INFINITY) this.#alarm.cancel();
    else this.#alarm.schedule(next * SYSTIMER_TICK_NS);
  }

  /** Recomputed for each output, as a callback may have cleared a match. */
  #update(): void {
    for (let i = 0; i < SYSTIMER_COMPARES; i++) {
      const bit = 1 << i;
      if (((this.#matched ^ this.#irqs) & bit & MATCHES) === 0) continue;
      this.#irqs ^= bit;
      this.#onIrq(i, (this.#irqs & bit) !== 0);
    }
  }

  #warnAccess(what: string, offset: number): void {
    this.#warn(`system timer: ${what} register 0x${(this.#base + offset).toString(16)}`);
  }
}
