// Several buttons pressed at once: told from the stamps of their presses, whichever is told of first.

/** One chord: it is there when all buttons are down, and no more than so long lies between the first press and the last. */
export class ChordRecognizer {
  readonly #withinNs: number;
  /** By button: when it was pressed; NaN while it is up, or its press was part of a chord already. */
  readonly #pressedNs: Float64Array;

  /** @param count buttons, at least two */
  constructor(count: number, withinNs: number) {
    this.#withinNs = withinNs;
    this.#pressedNs = new Float64Array(count).fill(Number.NaN);
  }

  /**
   * A button has been pressed.
   *
   * @param atNs its stamp; negative when it waited for this process to start
   * @returns whether that made the chord
   */
  press(button: number, atNs: number): boolean {
    this.#pressedNs[button] = atNs;
    let first = atNs;
    let last = atNs;
    for (const pressedNs of this.#pressedNs) {
      if (Number.isNaN(pressedNs)) return false;
      first = Math.min(first, pressedNs);
      last = Math.max(last, pressedNs);
    }
    if (last - first > this.#withinNs) return false;
    this.#pressedNs.fill(Number.NaN);
    return true;
  }

  /** A button has been let go. */
  release(button: number): void {
    this.#pressedNs[button] = Number.NaN;
  }
}
