// GPIO_PUP_PDN_CNTRL_REG0-3 of the BCM2711: two bits a line, in effect at once, and readable.
import type { ApplyPull, Pull, PullRegisters } from '../bcm2835/gpio-pull.js';

/** Offset of the first in the GPIO block; each has 16 lines. */
export const GPIO_PUP_PDN_CNTRL_REG0 = 0xe4;

const LINES_PER_WORD = 16;
/** By the value of a line's field. */
const PULLS: readonly (Pull | undefined)[] = ['none', 'up', 'down', undefined];
/** After reset: up on 0-8, 34-36 and 46-57, down on 9-27, 30-33 and 37-43, none on 28, 29, 44 and 45. */
const RESET = [0xaaa9_5555, 0xa0aa_aaaa, 0x50aa_a95a, 0x0005_5555] as const;

/** The pulls of a BCM2711. */
export class PupPdnControl implements PullRegisters {
  readonly first = GPIO_PUP_PDN_CNTRL_REG0;
  readonly words = 4;
  readonly nextNs = Number.POSITIVE_INFINITY;
  readonly #values = Uint32Array.from(RESET);
  readonly #lines: number;
  readonly #apply: ApplyPull;
  readonly #warn: (message: string) => void;

  constructor(lines: number, apply: ApplyPull, warn: (message: string) => void) {
    this.#lines = lines;
    this.#apply = apply;
    this.#warn = warn;
  }

  /** Nothing takes time. */
  settle(): void {}

  read(word: number): number {
    return this.#values[word] ?? 0;
  }

  /** A line that is given the reserved value keeps its pull, with a warning. */
  write(word: number, value: number): void {
    const before = this.read(word);
    let after = before;
    for (let i = 0; i < LINES_PER_WORD; i++) {
      const line = word * LINES_PER_WORD + i;
      const field = (value >>> (2 * i)) & 3;
      if (line >= this.#lines || field === ((before >>> (2 * i)) & 3)) continue;
      const pull = PULLS[field];
      if (pull === undefined) {
        this.#warn(`GPIO${line}: the pull value 3 is reserved; the pull stays as it was`);
        continue;
      }
      after = (after & ~(3 << (2 * i))) | (field << (2 * i));
      this.#apply(line, pull);
    }
    this.#values[word] = after;
  }
}
