// Who listens to the pads of a bank, and what they were last told.
import type { GpioBank } from './gpio-bank.js';
import type { PadLevel, PadListener } from './pads.js';

/** One call of {@link PadNotices.add}: the same listener may watch a pad twice. */
interface Watch {
  readonly listener: PadListener;
}

/** Listeners of one bank's pads; tells of short circuits too. */
export class PadNotices {
  readonly #bank: GpioBank;
  readonly #listeners: (readonly Watch[])[] = Array.from({ length: 32 }, () => []);
  #watched = 0;
  #level: number;
  #driven = 0;
  #contention = 0;

  constructor(bank: GpioBank) {
    this.#bank = bank;
    this.#level = bank.level;
  }

  /** Tells `listener` the present state of the line (`bit`, 0 to 31), then every change until the returned function is called. */
  add(bit: number, listener: PadListener): () => void {
    const watch: Watch = { listener };
    const before = this.#listeners[bit] ?? [];
    this.#listeners[bit] = [...before, watch];
    this.#watched |= 1 << bit;
    listener(bitOf(this.#bank.level, bit), bitOf(this.#bank.driven | this.#bank.outputEnable, bit) === 1);
    return () => {
      const left = (this.#listeners[bit] ?? []).filter((other) => other !== watch);
      this.#listeners[bit] = left;
      if (left.length === 0) this.#watched &= ~(1 << bit);
    };
  }

  /** Tells what has changed since the last call; false when nothing had. `firstLine` is the line of bit 0. */
  tell(firstLine: number, warn: (message: string) => void): boolean {
    const bank = this.#bank;
    const level = bank.level;
    const driven = bank.driven | bank.outputEnable;
    const contention = bank.contention;
    const changed = ((level ^ this.#level) | (driven ^ this.#driven)) & this.#watched;
    const shorted = contention & ~this.#contention;
    this.#level = level;
    this.#driven = driven;
    this.#contention = contention;
    for (let left = shorted; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      const output = bitOf(bank.output, bit) === 1 ? 'high' : 'low';
      warn(`GPIO: short circuit on GPIO${firstLine + bit}: the output is ${output}, the board drives the other level`);
    }
    for (let left = changed; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      const listeners = this.#listeners[bit] ?? [];
      for (let i = 0; i < listeners.length; i++) listeners[i]?.listener(bitOf(level, bit), bitOf(driven, bit) === 1);
    }
    return changed !== 0;
  }
}

function bitOf(word: number, bit: number): PadLevel {
  return ((word >>> bit) & 1) as PadLevel;
}
