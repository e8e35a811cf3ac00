// Several buttons pressed at once: told from the stamps of their presses, whichever is told of first.

/** One chord: it is there when all buttons are down at one time, and no more than so long lies between the first press and the last. */
export class ChordRecognizer {
  readonly #withinNs: number;
  /** By button: when it was pressed last; NaN when it was not yet, or its press was part of a chord already. */
  readonly #pressedNs: Float64Array;
  /** By button: when that press ended; infinite while it lasts. */
  readonly #releasedNs: Float64Array;

  /** @param count buttons, at least two */
  constructor(count: number, withinNs: number) {
    this.#withinNs = withinNs;
    this.#pressedNs = new Float64Array(count).fill(Number.NaN);
    this.#releasedNs = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  }

  /**
   * A button has been pressed. Edges of other buttons may be told of later, or have been told of sooner, than their stamps say.
   *
   * @param atNs stamp of the press; below 0 for one that waited for this process
   * @returns whether that made the chord
   */
  press(button: number, atNs: number): boolean {
    this.#pressedNs[button] = atNs;
    this.#releasedNs[button] = Number.POSITIVE_INFINITY;
    let first = atNs;
    let last = atNs;
    for (const pressedNs of this.#pressedNs) {
      if (Number.isNaN(pressedNs)) return false;
      if (pressedNs < first) first = pressedNs;
      if (pressedNs > last) last = pressedNs;
    }
    if (last - first > this.#withinNs) return false;
    for (const releasedNs of this.#releasedNs) if (releasedNs <= last) return false;
    this.#pressedNs.fill(Number.NaN);
    return true;
  }

  /** A button has been let go. */
  release(button: number, atNs: number): void {
    this.#releasedNs[button] = atNs;
  }
}
