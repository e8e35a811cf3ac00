// Which lines of a GPIO bank's interrupt have events (bcm2835_gpio_irq_handle_bank of drivers/pinctrl/bcm/pinctrl-bcm2835.c).

/** Lines of a register. */
export const LINES_PER_BANK = 32;

/** Events of one bank interrupt: `next` reads a register when the one before is dealt with, and gives its lowest line. */
export class BankEvents {
  readonly #masks: readonly [number, number];
  readonly #read: (word: number, mask: number) => number;
  #word = 1;
  #events = 0;

  /** `read` gives the events in register 0 or 1 that are to be handled, of the lines in `mask`. */
  constructor(masks: readonly [number, number], read: (word: number, mask: number) => number) {
    this.#masks = masks;
    this.#read = read;
  }

  /** Begins again with the first register. */
  start(): void {
    this.#word = -1;
    this.#events = 0;
  }

  /** The next line, -1 when there is no more. */
  readonly next = (): number => {
    while (this.#events === 0) {
      if (this.#word === 1) return -1;
      const mask = this.#masks[++this.#word] ?? 0;
      if (mask !== 0) this.#events = this.#read(this.#word, mask);
    }
    const bit = 31 - Math.clz32(this.#events & -this.#events);
    this.#events &= this.#events - 1;
    return LINES_PER_BANK * this.#word + bit;
  };
}
