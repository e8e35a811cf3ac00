// The service's lines on hardware: held for as long as it runs, also when the chip goes and comes back, or a line is another's.

import {
  type ChipInfo,
  type EdgeMark,
  type EdgeSink,
  type GpioChip,
  KernelError,
  type Level,
  type LineConfig,
  type LineRequest,
} from '../../kernel/index.js';
import { hostTimer, type StartTimer } from './bursts.js';
import { ChipLines, type HeldRequest, type WantedLines } from './chip-lines.js';
import type { KeptLines } from './kept-lines.js';
import type { ParkedLine, RequestOptions } from './line-requests.js';

export type { HeldRequest } from './chip-lines.js';

/** How often a chip that is gone is looked for, in ms. */
const LOOK_MS = 500;
/** How often a chip is asked whether it is there, where its driver does not tell by itself, in ms. */
const ASK_MS = 2_000;

/** What becomes of the lines. */
export interface LineNotices {
  /** The chip is gone. It is waited for, if there is a way to open it again. */
  onGone(error: Error): void;
  /** The chip is back, perhaps under another name, with all its lines that nobody else has. */
  onBack(chip: ChipInfo): void;
  /** A line cannot be had, and is waited for; `why` is a sentence without its line, e.g. `held by 'w1-gpio'`. */
  onWaiting(offset: number, why: string): void;
  /** A line that was waited for is held. */
  onHeld(offset: number): void;
}

/** How a chip that is gone is found again. */
export interface Comeback {
  /** Opens the chip under whatever name it has now. Throws while it is not there. */
  reopen(): GpioChip;
  /** Default: a timer of the event loop. */
  readonly startTimer?: StartTimer;
}

/** What {@link LastingLines} are made from. */
export interface LastingLinesOptions {
  /** Belongs to the lines from now on. */
  readonly chip: GpioChip;
  readonly lines: readonly LineConfig[];
  /** Requests that hold some of the lines already, and how: they are kept, and their lines made what they are to be. */
  readonly held?: readonly HeldRequest[];
  /** Has the requests outlive the process. */
  readonly kept?: KeptLines | undefined;
  readonly consumer: string;
  /** Of the edges; default the driver's. */
  readonly events?: Omit<RequestOptions, 'consumer'>;
  readonly notices: LineNotices;
  /** Why the chip is not there yet: {@link chip} is in its place until {@link comeback} finds it. */
  readonly absent?: KernelError | undefined;
  /** Without it a chip that is gone stays gone. */
  readonly comeback?: Comeback | undefined;
  /**
   * A line was requested anew: its edges are numbered from 1 again. Or it was held before, and its numbers go on from `mark`,
   * which is written from now on.
   */
  readonly onAnew: (offset: number, mark?: EdgeMark) => void;
  /** What users call a line. */
  readonly nameOf: (offset: number) => string;
}

/**
 * Lines of one chip. A line that somebody else holds is taken as soon as it is free, where the driver can tell who holds it
 * and when it is freed; else it is an error, as any other. When the chip is gone all lines are let go of, and taken back from
 * the next chip with the same label: an output then gets the level that it had been given last.
 */
export class LastingLines {
  readonly #options: LastingLinesOptions;
  readonly #wanted: WantedLines = { configs: new Map(), levels: [] };
  /** Lines that had edges while their chip was gone, or may have had. */
  readonly #missed = new Set<number>();
  /** Of the chip that there is; of the one that was there last, and empty, while there is none. */
  #lines: ChipLines;
  #gone: Error | undefined;
  /** Why the last look for the chip was in vain. */
  #vain: string | undefined;
  #sink: EdgeSink | undefined;
  #cancelLook: (() => void) | undefined;
  #closed = false;

  /** Takes the lines. Errors as the driver's; the chip is closed then. */
  constructor(options: LastingLinesOptions) {
    this.#options = options;
    this.#lines = this.#linesOf(options.chip);
    for (const line of options.lines) this.#wanted.configs.set(line.offset, line);
    if (options.absent !== undefined) {
      this.#gone = options.absent;
      options.notices.onGone(options.absent);
      this.#lookLater();
      return;
    }
    try {
      this.#lines.take(options.held);
    } catch (error) {
      // Also when that was the chip going: nobody is there who would want the lines when it is back.
      this.close();
      throw error;
    }
    this.#askLater();
  }

  /** The chip that holds the lines, or the one that did so last. */
  get chip(): GpioChip {
    return this.#lines.chip;
  }

  /** The requests that there are now. */
  get requests(): Iterable<LineRequest> {
    return this.#lines.requests;
  }

  /** Lines that are none of ours any more, and held until the last of their request is. */
  get parked(): readonly ParkedLine[] {
    return this.#gone === undefined ? this.#lines.parked : [];
  }

  /** What keeps lines from being held as they are to be, in one sentence; undefined when all are. */
  get problem(): string | undefined {
    if (this.#gone !== undefined) {
      const waits = this.#options.comeback === undefined ? '' : '; it is waited for';
      const vain = this.#vain === undefined ? '' : ` (${this.#vain})`;
      return `the GPIO chip is ${this.#away}: ${this.#gone.message}${waits}${vain}`;
    }
    const problems = this.#lines.problems(this.#options.nameOf);
    return problems.length === 0 ? undefined : problems.join(', ');
  }

  /** Why a line is not held; undefined when it is. */
  waitingFor(offset: number): string | undefined {
    if (this.#gone !== undefined) return `the chip is ${this.#away}`;
    return this.#lines.waitingFor(offset);
  }

  /** In words, how it comes that there is no chip. */
  get #away(): string {
    return this.#gone === this.#options.absent ? 'not there' : 'gone';
  }

  /** True when edges of a line may have come while its chip was gone: nobody knows how many. */
  missed(offset: number): boolean {
    return this.#missed.has(offset);
  }

  /** `ENODEV` while the chip is gone, `EBUSY` for a line that is somebody else's; others as {@link LineRequest.getValue}. */
  getValue(offset: number): Level {
    return (this.#lines.of(offset) ?? this.#absent(offset)).getValue(offset);
  }

  /** Errors as {@link getValue}, and as {@link LineRequest.setValue}. */
  setValue(offset: number, value: Level): void {
    (this.#lines.of(offset) ?? this.#absent(offset)).setValue(offset, value);
    this.#lines.noteLevel(offset, value);
  }

  /** Starts the delivery of edges, of lines that are taken later too. */
  onEdges(sink: EdgeSink): void {
    this.#sink = sink;
    this.#lines.onEdges(sink);
  }

  /**
   * Takes, changes and lets go of lines until they are these. Lines that are as they were are not touched; others are changed
   * while they are held, where the driver can; an output that stays one keeps its level. A line that cannot be had is waited
   * for, and one that cannot be changed stays as it was: {@link problem} says so.
   */
  update(lines: readonly LineConfig[]): void {
    const wanted = new Set(lines.map(({ offset }) => offset));
    const removed = [...this.#wanted.configs.keys()].filter((offset) => !wanted.has(offset));
    for (const offset of removed) this.#forget(offset);
    for (const line of lines) this.#wanted.configs.set(line.offset, line);
    if (this.#gone !== undefined) return;
    try {
      this.#lines.update(removed);
    } catch (error) {
      // The chip is gone, and tells so itself.
      if (!(error instanceof KernelError) || error.code !== 'ENODEV') throw error;
    }
  }

  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void {
    if (this.#gone === undefined) this.#lines.pause();
  }

  /** Lets the lines and the chip go. What is kept for the next process stays kept, unless it is `forGood`. */
  close(forGood = false): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#lines.close(forGood);
  }

  /**
   * A pulse is under way, and the line goes back to `rest` when it is over; undefined when it is. Should the process not come to
   * that, the next one ends it first of all.
   */
  noteRest(offset: number, rest: Level | undefined): void {
    this.#lines.noteRest(offset, rest);
  }

  #linesOf(chip: GpioChip): ChipLines {
    const { consumer, events, kept, notices, onAnew } = this.#options;
    return new ChipLines({
      ...{ chip, wanted: this.#wanted, requests: { ...events, consumer }, kept, onAnew },
      onWaiting: (offset, why) => notices.onWaiting(offset, why),
      onHeld: (offset) => notices.onHeld(offset),
      onGone: (error) => this.#onGone(chip, error),
      sink: () => this.#sink,
    });
  }

  #forget(offset: number): void {
    this.#wanted.configs.delete(offset);
    this.#wanted.levels[offset] = undefined;
    this.#missed.delete(offset);
  }

  #onGone(chip: GpioChip, error: Error): void {
    // Each request tells of it, and the chip itself.
    if (chip !== this.chip || this.#gone !== undefined || this.#closed) return;
    for (const [offset, { edge = 'none' }] of this.#wanted.configs) {
      if (edge !== 'none' && this.#lines.of(offset) !== undefined) this.#missed.add(offset);
    }
    this.#gone = error;
    this.#vain = undefined;
    this.#lines.close(true);
    this.#options.notices.onGone(error);
    this.#lookLater();
  }

  #lookLater(): void {
    const { comeback } = this.#options;
    if (comeback === undefined || this.#closed) return;
    this.#later(comeback, () => this.#look(comeback), LOOK_MS);
  }

  #look({ reopen }: Comeback): void {
    try {
      this.#lines = this.#linesOf(reopen());
      this.#lines.takeAgain();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#vain = error.message;
      this.#lines.close(true);
      this.#lookLater();
      return;
    }
    this.#gone = undefined;
    this.#options.notices.onBack(this.chip.info);
    this.#askLater();
  }

  #askLater(): void {
    const { comeback } = this.#options;
    if (comeback === undefined || this.chip.capabilities.goneNotice) return;
    this.#later(comeback, () => this.#ask(), ASK_MS);
  }

  /** Instead of what was to come before: a chip is either looked for or asked. */
  #later(comeback: Comeback, action: () => void, ms: number): void {
    this.#cancelLook?.();
    this.#cancelLook = (comeback.startTimer ?? hostTimer)(action, ms);
  }

  /** A chip that finds itself gone, or one of the lines, tells all its listeners, us among them. */
  #ask(): void {
    try {
      for (const offset of this.#wanted.configs.keys()) this.chip.lineInfo(offset);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
    if (this.#gone === undefined && !this.#closed) this.#askLater();
  }

  #absent(offset: number): never {
    if (this.#gone !== undefined) {
      throw new KernelError('ENODEV', `${this.#options.nameOf(offset)}: the GPIO chip is ${this.#away}`, {
        hint: 'the line can be used when the chip is back',
      });
    }
    const why = this.#lines.waitingFor(offset);
    if (why === undefined) throw new KernelError('EINVAL', `line ${offset} is none of the lines that are held`);
    throw new KernelError('EBUSY', `${this.#options.nameOf(offset)} is ${why}`, {
      hint: 'it is taken as soon as it is free',
    });
  }
}
