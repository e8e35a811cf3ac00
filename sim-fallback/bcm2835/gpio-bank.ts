// One bank of the BCM2835 GPIO block: pads, detectors and event status of up to 32 lines, all lines in parallel.

/**
 * Registers and pads of one bank, one bit a line. Fields are signed 32-bit words; readers turn them with `>>> 0`.
 *
 * After any change of a field, {@link resolve} brings the pads and the latch up to date.
 */
export class GpioBank {
  /** Lines that exist. */
  readonly mask: number;

  /** Output latch: the last GPSET or GPCLR, kept while the line is an input. */
  output = 0;
  /** Lines whose function is output. */
  outputEnable = 0;
  /** GPLEV: the pads. */
  level = 0;
  /** GPEDS: the event latch. */
  eds = 0;
  ren = 0;
  fen = 0;
  hen = 0;
  len = 0;
  aren = 0;
  afen = 0;

  /** Lines that the board drives, and to which level. */
  driven = 0;
  drivenLevel = 0;
  /** Lines with a pull resistor of the board, and the direction (1 up). */
  boardPull = 0;
  boardPullLevel = 0;
  /** The chip's own pulls. */
  pullUp: number;
  pullDown: number;

  /** The last two samples that the synchronous detectors took, the older one second. */
  #sample1: number;
  #sample2: number;

  /** The pulls are those of reset; a pad with none starts low. */
  constructor(mask: number, pullUp: number, pullDown: number) {
    this.mask = mask;
    this.pullUp = pullUp;
    this.pullDown = pullDown;
    this.resolve();
    this.#sample1 = this.level;
    this.#sample2 = this.level;
  }

  /** Lines that the board drives against the chip's output: a short circuit. */
  get contention(): number {
    return this.driven & this.outputEnable & (this.drivenLevel ^ this.output);
  }

  /**
   * Works out every pad, then lets the asynchronous and the level detectors see it.
   *
   * Who is stiffest wins: the board's drive, the chip's output, the board's pull, the chip's pull; a pad that nobody
   * holds keeps its level, as its capacitance does for a while.
   */
  resolve(): void {
    const chipPull = this.pullUp | (~this.pullDown & this.level);
    const pulled = (this.boardPull & this.boardPullLevel) | (~this.boardPull & chipPull);
    const inside = (this.outputEnable & this.output) | (~this.outputEnable & pulled);
    const level = ((this.driven & this.drivenLevel) | (~this.driven & inside)) & this.mask;
    const changed = level ^ this.level;
    this.level = level;
    this.eds |= (changed & level & this.aren) | (changed & ~level & this.afen);
    this.eds |= (level & this.hen) | (~level & this.len);
  }

  /** Lines in `bits` had their level before the power came: to the synchronous detectors it is no edge. */
  powerUp(bits: number): void {
    this.resolve();
    this.#sample1 = (this.#sample1 & ~bits) | (this.level & bits);
    this.#sample2 = (this.#sample2 & ~bits) | (this.level & bits);
  }

  /** One tick of the system clock: the synchronous detectors take a sample and match 011 and 100. */
  clock(): void {
    const level = this.level;
    this.eds |= ~this.#sample2 & this.#sample1 & level & this.ren;
    this.eds |= this.#sample2 & ~this.#sample1 & ~level & this.fen;
    this.#sample2 = this.#sample1;
    this.#sample1 = level;
  }

  /** True when further ticks change nothing: the last two samples are the present level. */
  get settled(): boolean {
    return this.#sample1 === this.level && this.#sample2 === this.level;
  }

  /** Ticks until an enabled synchronous detector may match, were the pads to stay as they are: 0 (never), 1 or 2. */
  get ticksToMatch(): number {
    const rising = this.level & this.ren;
    const falling = ~this.level & this.fen;
    const fresh = this.#sample1 ^ this.level;
    if ((this.#sample1 ^ this.#sample2) & ~fresh & (rising | falling)) return 1;
    return fresh & (rising | falling) ? 2 : 0;
  }
}
