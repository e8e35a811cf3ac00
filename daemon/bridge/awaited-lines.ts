// Lines that cannot be had now: somebody else holds them, or the kernel refuses them as they are wanted.
import type { GpioChip } from '../../kernel/index.js';

interface Awaited {
  why: string;
  /** Not because of a holder. */
  readonly refused: boolean;
  readonly unwatch: () => void;
}

/** What is waited for on one chip, and why. */
export class AwaitedLines {
  readonly #byOffset = new Map<number, Awaited>();
  readonly #onChange: () => void;
  readonly #onWaiting: (offset: number, why: string) => void;

  /**
   * @param onChange one of the lines has been freed, or changed in another way
   * @param onWaiting a line is waited for, or for another reason than before
   */
  constructor(onChange: () => void, onWaiting: (offset: number, why: string) => void) {
    this.#onChange = onChange;
    this.#onWaiting = onWaiting;
  }

  get size(): number {
    return this.#byOffset.size;
  }

  /** Offsets, in the order in which they have been waited for. */
  get offsets(): number[] {
    return [...this.#byOffset.keys()];
  }

  has(offset: number): boolean {
    return this.#byOffset.has(offset);
  }

  /** Why a line is waited for; undefined when it is not. */
  why(offset: number): string | undefined {
    return this.#byOffset.get(offset)?.why;
  }

  /** Waits for a line that somebody else holds. One that was freed before it could be watched is not waited for. */
  awaitHolder(chip: GpioChip, offset: number): void {
    const unwatch = chip.watchLineInfo(offset, this.#onChange);
    const { used, consumer } = chip.lineInfo(offset);
    if (used) this.#add(offset, heldBy(consumer), false, unwatch);
    else unwatch();
  }

  /** Waits for a line that is refused, until something about it changes, where the driver tells of that. */
  awaitChange(chip: GpioChip, offset: number, why: string): void {
    const { lineInfoWatch } = chip.capabilities;
    this.#add(offset, why, true, lineInfoWatch ? chip.watchLineInfo(offset, this.#onChange) : () => {});
  }

  #add(offset: number, why: string, refused: boolean, unwatch: () => void): void {
    this.forget(offset);
    this.#byOffset.set(offset, { why, refused, unwatch });
    this.#onWaiting(offset, why);
  }

  /** A line is still waited for, perhaps for another reason. */
  still(offset: number, why: string): void {
    const awaited = this.#byOffset.get(offset);
    if (awaited === undefined || awaited.why === why) return;
    awaited.why = why;
    this.#onWaiting(offset, why);
  }

  forget(offset: number): void {
    this.#byOffset.get(offset)?.unwatch();
    this.#byOffset.delete(offset);
  }

  /** Lines that nobody holds, and that are refused: they may be wanted in another way now. */
  forgetRefused(): void {
    for (const [offset, { refused }] of this.#byOffset) if (refused) this.forget(offset);
  }

  forgetAll(): void {
    for (const { unwatch } of this.#byOffset.values()) unwatch();
    this.#byOffset.clear();
  }
}

/** Who holds a line, in words after "is". */
export function heldBy(consumer: string): string {
  return consumer === '' ? 'held by the kernel' : `held by '${consumer}'`;
}
