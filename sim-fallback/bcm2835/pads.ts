// Pads: the chip's pins as the board sees them.

/** A voltage read as a bit: 0 is ground, 1 is 3.3 V. Physical, never turned round by `activeLow`. */
export type PadLevel = 0 | 1;

/** What the world outside puts on a pad: a stiff level, or nothing. */
export type PadDrive = PadLevel | 'float';

/** A pull resistor of the board. */
export type BoardPull = 'up' | 'down' | 'none';

/**
 * Told when a pad changed. `driven` is true when the chip's output stage or a part of the board drives the pad, false
 * when only a pull resistor (or nothing) gives it its level: a pull does not light an LED.
 */
export type PadListener = (level: PadLevel, driven: boolean) => void;

/** The pins of a chip. Every method throws `EINVAL` for a line that the chip does not have. */
export interface Pads {
  /** Number of lines; they are 0 to `lines - 1`. */
  readonly lines: number;
  /** Drives a line from outside, or lets it float, from now on. */
  drive(line: number, value: PadDrive): void;
  /** Puts a pull resistor of the board on a line. It is stronger than the chip's own pull (some 10 kΩ against 50 kΩ). */
  setBoardPull(line: number, pull: BoardPull): void;
  /** The level of the pad now. */
  level(line: number): PadLevel;
  /**
   * Calls `listener` when level or drive of the line has changed, and once at once with the present state, until the
   * returned function is called. What changes and changes back while listeners are being told is not reported.
   */
  onPad(line: number, listener: PadListener): () => void;
}
