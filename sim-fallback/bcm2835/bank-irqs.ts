// The interrupt outputs of the GPIO block: which lines each is for, and when it is asserted.
import type { GpioBank } from './gpio-bank.js';

// Lines 0-27, 28-45 (in two words), 46 and above.
const IRQ0_LINES = 0x0fff_ffff;
const IRQ1_LINES_LOW = 0xf000_0000;
const IRQ1_LINES_HIGH = 0x0000_3fff;
const IRQ2_LINES = 0x03ff_c000;
/** The fourth is for all lines. */
const OUTPUTS = 4;

/** Levels: an output is asserted while a GPEDS bit of its lines is set. */
export class BankIrqs {
  readonly #low: GpioBank;
  readonly #high: GpioBank;
  readonly #onChange: (output: number, asserted: boolean) => void;
  /** A bit for each that is asserted. */
  #asserted = 0;

  /** @param low lines 0-31 @param high those above @param onChange may access registers */
  constructor(low: GpioBank, high: GpioBank, onChange: (output: number, asserted: boolean) => void) {
    this.#low = low;
    this.#high = high;
    this.#onChange = onChange;
  }

  /** Tells of what has changed since the last call. Recomputed for each output, as the callback may have changed the registers. */
  update(): void {
    for (let output = 0; output < OUTPUTS; output++) {
      const bit = 1 << output;
      const asserted = this.#levelOf(output);
      if (asserted === ((this.#asserted & bit) !== 0)) continue;
      this.#asserted ^= bit;
      this.#onChange(output, asserted);
    }
  }

  #levelOf(output: number): boolean {
    const low = this.#low.eds;
    const high = this.#high.eds;
    if (output === 0) return (low & IRQ0_LINES) !== 0;
    if (output === 1) return ((low & IRQ1_LINES_LOW) | (high & IRQ1_LINES_HIGH)) !== 0;
    if (output === 2) return (high & IRQ2_LINES) !== 0;
    return (low | high) !== 0;
  }
}
