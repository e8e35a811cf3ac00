// The service's lines on hardware: held for as long as it runs, also when the chip goes and comes back, or a line is another's.

import { sameLineConfig } from '../../kernel/gpio/line-config.js';
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
import { AwaitedLines, heldBy } from './awaited-lines.js';
import { hostTimer, type StartTimer } from './bursts.js';
import type { KeptLines } from './kept-lines.js';
import { markedLevel, markedRest, markLevel, markRest } from './kept-record.js';
import { LineRequests, type RequestOptions, requestGroups } from './line-requests.js';

/** How often a chip that is gone is looked for, in ms. */
const LOOK_MS = 500;
/** How often a chip is asked whether it is there, where its driver does not tell by itself, in ms. */
const ASK_MS = 2_000;
/** Times that a request is tried while others take and free its lines. */
const ATTEMPTS = 8;

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

/** A request that was there before, and what its lines are. */
export interface HeldRequest {
  readonly request: LineRequest;
  readonly lines: readonly LineConfig[];
}

/**
 * Lines of one chip. A line that somebody else holds is taken as soon as it is free, where the driver can tell who holds it
 * and when it is freed; else it is an error, as any other. When the chip is gone all lines are let go of, and taken back from
 * the next chip with the same label: an output then gets the level that it had been given last.
 */
export class LastingLines {
  readonly #options: LastingLinesOptions;
  readonly #configs = new Map<number, LineConfig>();
  readonly #awaited: AwaitedLines;
  /** Logical levels that outputs were last given, by offset. */
  readonly #levels: (Level | undefined)[] = [];
  /** Lines that had edges while their chip was gone, or may have had. */
  readonly #missed = new Set<number>();
  /** Held lines that could not be made what they are to be, and why. */
  readonly #unchanged = new Map<number, string>();
  #chip: GpioChip;
  #requests: LineRequests;
  #gone: Error | undefined;
  /** Why the last look for the chip was in vain. */
  #vain: string | undefined;
  #sink: EdgeSink | undefined;
  #cancelLook: (() => void) | undefined;
  #closed = false;

  /** Takes the lines. Errors as the driver's; the chip is closed then. */
  constructor(options: LastingLinesOptions) {
    this.#options = options;
    this.#chip = options.chip;
    this.#requests = this.#noRequests();
    this.#awaited = new AwaitedLines(this.#lineChanged, options.notices.onWaiting);
    for (const line of options.lines) this.#configs.set(line.offset, line);
    if (options.absent !== undefined) {
      this.#gone = options.absent;
      options.notices.onGone(options.absent);
      this.#lookLater();
      return;
    }
    try {
      this.#begin();
      for (const { request, lines } of options.held ?? []) this.#keep(request, lines);
      this.#endPulses();
      this.#converge();
      this.#takeMissing();
    } catch (error) {
      // Also when that was the chip going: nobody is there who would want the lines when it is back.
      this.close();
      throw error;
    }
    this.#askLater();
  }

  /** The chip that holds the lines, or the one that did so last. */
  get chip(): GpioChip {
    return this.#chip;
  }

  /** The requests that there are now. */
  get requests(): Iterable<LineRequest> {
    return this.#requests.all;
  }

  /** Lines that are none of ours any more, and held until the last of their request is. */
  get parked(): readonly number[] {
    return this.#requests.parked;
  }

  /** What keeps lines from being held as they are to be, in one sentence; undefined when all are. */
  get problem(): string | undefined {
    if (this.#gone !== undefined) {
      const waits = this.#options.comeback === undefined ? '' : '; it is waited for';
      const vain = this.#vain === undefined ? '' : ` (${this.#vain})`;
      return `the GPIO chip is ${this.#away}: ${this.#gone.message}${waits}${vain}`;
    }
    const { nameOf } = this.#options;
    const problems = [
      ...this.#awaited.offsets.map((offset) => `${nameOf(offset)} is ${this.#awaited.why(offset)}`),
      ...[...this.#unchanged].map(([offset, why]) => `${nameOf(offset)} is still as it was: ${why}`),
    ];
    return problems.length === 0 ? undefined : problems.join(', ');
  }

  /** Why a line is not held; undefined when it is. */
  waitingFor(offset: number): string | undefined {
    if (this.#gone !== undefined) return `the chip is ${this.#away}`;
    return this.#awaited.why(offset);
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
    return (this.#requests.of(offset) ?? this.#absent(offset)).getValue(offset);
  }

  /** Errors as {@link getValue}, and as {@link LineRequest.setValue}. */
  setValue(offset: number, value: Level): void {
    (this.#requests.of(offset) ?? this.#absent(offset)).setValue(offset, value);
    this.#setLevel(offset, value);
  }

  /** Starts the delivery of edges, of lines that are taken later too. */
  onEdges(sink: EdgeSink): void {
    this.#sink = sink;
    for (const request of this.#requests.all) request.onEdges(sink);
  }

  /**
   * Takes, changes and lets go of lines until they are these. Lines that are as they were are not touched; others are changed
   * while they are held, where the driver can; an output that stays one keeps its level. A line that cannot be had is waited
   * for, and one that cannot be changed stays as it was: {@link problem} says so.
   */
  update(lines: readonly LineConfig[]): void {
    const wanted = new Set(lines.map(({ offset }) => offset));
    const removed = [...this.#configs.keys()].filter((offset) => !wanted.has(offset));
    for (const offset of removed) this.#forget(offset);
    for (const line of lines) this.#configs.set(line.offset, line);
    if (this.#gone !== undefined) return;
    try {
      this.#requests.letGo(removed);
      this.#converge();
      this.#awaited.forgetRefused();
      this.#takeMissing((refused, error) =>
        this.#awaited.awaitChange(this.#chip, refused, `refused: ${error.message}`),
      );
    } catch (error) {
      // The chip is gone, and tells so itself.
      if (!(error instanceof KernelError) || error.code !== 'ENODEV') throw error;
    }
  }

  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void {
    if (this.#gone === undefined) this.#requests.pause();
  }

  /** Lets the lines and the chip go. What is kept for the next process stays kept, unless it is `forGood`. */
  close(forGood = false): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#letGo(forGood);
  }

  /**
   * A pulse is under way, and the line goes back to `rest` when it is over; undefined when it is. Should the process not come to
   * that, the next one ends it first of all.
   */
  noteRest(offset: number, rest: Level | undefined): void {
    const mark = this.#requests.markOf(offset);
    if (mark !== undefined) markRest(mark, rest);
  }

  /** Ends the pulses that the process before has left. */
  #endPulses(): void {
    for (const offset of this.#configs.keys()) {
      const mark = this.#requests.markOf(offset);
      const rest = mark === undefined ? undefined : markedRest(mark);
      if (rest === undefined) continue;
      this.noteRest(offset, undefined);
      if (this.#requests.configOf(offset)?.direction === 'out') this.setValue(offset, rest);
    }
  }

  #setLevel(offset: number, level: Level | undefined): void {
    this.#levels[offset] = level;
    const mark = this.#requests.markOf(offset);
    if (mark !== undefined) markLevel(mark, level);
  }

  #noRequests(): LineRequests {
    const { consumer, events, kept } = this.#options;
    return new LineRequests(this.#chip, { ...events, consumer }, kept);
  }

  #begin(): void {
    const chip = this.#chip;
    this.#requests = this.#noRequests();
    chip.onGone((error) => this.#onGone(chip, error));
  }

  #forget(offset: number): void {
    this.#configs.delete(offset);
    this.#awaited.forget(offset);
    this.#missed.delete(offset);
    this.#unchanged.delete(offset);
    this.#levels[offset] = undefined;
  }

  /** Makes held lines what they are to be; those of requests that nobody wants are let go. */
  #converge(): void {
    const { reconfigure } = this.#chip.capabilities;
    for (const line of this.#configs.values()) {
      const before = this.#requests.configOf(line.offset);
      if (before === undefined) continue;
      try {
        if (reconfigure || !this.#requests.holds(line.offset)) this.#requests.change(line);
        else if (!sameLineConfig(before, line)) this.#requests.letGo([line.offset]);
        this.#unchanged.delete(line.offset);
      } catch (error) {
        if (!(error instanceof KernelError) || error.code === 'ENODEV') throw error;
        this.#unchanged.set(line.offset, error.message);
        continue;
      }
      this.#setLevel(line.offset, levelAfter(before, line, this.#levels[line.offset]));
    }
  }

  /**
   * Takes all lines that are not held. Those that others hold are waited for.
   *
   * @param onRefused of a line that is refused for another reason; default: throws that
   */
  #takeMissing(onRefused?: (offset: number, error: KernelError) => void): void {
    const missing = [...this.#configs.keys()].filter((offset) => !this.#requests.holds(offset));
    for (const group of this.#groups(missing)) this.#takeGroup(group, onRefused);
  }

  #groups(offsets: readonly number[]): number[][] {
    const lines = offsets.flatMap((offset) => this.#configNow(offset) ?? []);
    return requestGroups(lines, this.#chip.capabilities).map((group) => group.map(({ offset }) => offset));
  }

  #takeGroup(offsets: readonly number[], onRefused?: (offset: number, error: KernelError) => void): void {
    for (let attempt = 1; ; attempt++) {
      const free = offsets.filter((offset) => !this.#awaited.has(offset));
      if (free.length === 0) return;
      const error = this.#refusalOf(free);
      if (error === undefined) return;
      if (attempt < ATTEMPTS && this.#awaitHeld(free, error)) continue;
      if (onRefused === undefined) throw error;
      const [only, ...others] = free;
      // One that is refused keeps none of the others from being taken.
      if (others.length > 0) for (const offset of free) this.#takeGroup([offset], onRefused);
      else if (only !== undefined) onRefused(only, error);
      return;
    }
  }

  /** Takes lines in one request. @returns why it is refused; throws when the chip is gone */
  #refusalOf(offsets: readonly number[]): KernelError | undefined {
    const lines = offsets.flatMap((offset) => this.#configNow(offset) ?? []);
    try {
      this.#serve(this.#requests.take(lines));
    } catch (error) {
      if (!(error instanceof KernelError) || error.code === 'ENODEV') throw error;
      return error;
    }
    for (const offset of offsets) this.#options.onAnew(offset, this.#requests.markOf(offset));
    return undefined;
  }

  /** Takes over what was held before; what is none of ours is let go of, or parked. */
  #keep(request: LineRequest, lines: readonly LineConfig[]): void {
    this.#requests.add(request, lines);
    this.#serve(request);
    for (const { offset } of lines) {
      const mark = this.#requests.markOf(offset);
      if (mark === undefined || !this.#configs.has(offset)) continue;
      this.#levels[offset] = markedLevel(mark);
      this.#options.onAnew(offset, mark);
    }
    this.#requests.letGo(lines.map(({ offset }) => offset).filter((offset) => !this.#configs.has(offset)));
  }

  #serve(request: LineRequest): void {
    const chip = this.#chip;
    request.onGone((error) => this.#onGone(chip, error));
    if (this.#sink !== undefined) request.onEdges(this.#sink);
  }

  /** An output that was set is to have that level again, unless it is to keep what it has. */
  #configNow(offset: number): LineConfig | undefined {
    const config = this.#configs.get(offset);
    const level = this.#levels[offset];
    return config === undefined || level === undefined || config.initial === 'keep'
      ? config
      : { ...config, initial: level };
  }

  /** After `EBUSY`: waits for those lines that are held. @returns false when the error is another, or they cannot be told */
  #awaitHeld(offsets: readonly number[], error: KernelError): boolean {
    const { lineHolders, lineInfoWatch } = this.#chip.capabilities;
    if (error.code !== 'EBUSY' || !lineHolders || !lineInfoWatch) return false;
    for (const offset of offsets) {
      if (this.#chip.lineInfo(offset).used) this.#awaited.awaitHolder(this.#chip, offset);
    }
    return true;
  }

  /**
   * A line that is waited for has changed. All of them are looked at: of many changes at once the kernel drops those that
   * it has no room for (it keeps 32), as when a program ends that held them all.
   */
  readonly #lineChanged = (): void => {
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (this.#takeFreed()) return;
    } catch (error) {
      // The chip is gone, and tells so itself.
      if (!(error instanceof KernelError) || error.code !== 'ENODEV') throw error;
    }
  };

  /** @returns false when somebody else was quicker with one of them */
  #takeFreed(): boolean {
    const freed: number[] = [];
    for (const offset of this.#awaited.offsets) {
      const { used, consumer } = this.#chip.lineInfo(offset);
      if (used) this.#awaited.still(offset, heldBy(consumer));
      else freed.push(offset);
    }
    let quickest = true;
    for (const group of this.#groups(freed)) if (!this.#takeFreedGroup(group)) quickest = false;
    return quickest;
  }

  #takeFreedGroup(offsets: readonly number[]): boolean {
    const refused = this.#refusalOf(offsets);
    if (refused === undefined) {
      for (const offset of offsets) this.#held(offset);
      return true;
    }
    if (refused.code === 'EBUSY') return false;
    for (const offset of offsets) this.#takeAlone(offset, refused, offsets.length === 1);
    return true;
  }

  /** One that is refused keeps none of the others from being taken. */
  #takeAlone(offset: number, before: KernelError, tried: boolean): void {
    const refused = tried ? before : this.#refusalOf([offset]);
    if (refused === undefined) this.#held(offset);
    else this.#awaited.still(offset, `free, and refused: ${refused.message}`);
  }

  #held(offset: number): void {
    this.#awaited.forget(offset);
    this.#options.notices.onHeld(offset);
  }

  #onGone(chip: GpioChip, error: Error): void {
    // Each request tells of it, and the chip itself.
    if (chip !== this.#chip || this.#gone !== undefined || this.#closed) return;
    for (const [offset, { edge = 'none' }] of this.#configs) {
      if (edge !== 'none' && this.#requests.holds(offset)) this.#missed.add(offset);
    }
    this.#gone = error;
    this.#vain = undefined;
    this.#letGo(true);
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
      this.#chip = reopen();
      this.#begin();
      this.#takeMissing();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#vain = error.message;
      this.#letGo(true);
      this.#lookLater();
      return;
    }
    this.#gone = undefined;
    this.#options.notices.onBack(this.#chip.info);
    this.#askLater();
  }

  #askLater(): void {
    const { comeback } = this.#options;
    if (comeback === undefined || this.#chip.capabilities.goneNotice) return;
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
      for (const offset of this.#configs.keys()) this.#chip.lineInfo(offset);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
    if (this.#gone === undefined && !this.#closed) this.#askLater();
  }

  #letGo(forGood: boolean): void {
    this.#awaited.forgetAll();
    this.#unchanged.clear();
    this.#requests.releaseAll(forGood);
    this.#chip.close();
  }

  #absent(offset: number): never {
    if (this.#gone !== undefined) {
      throw new KernelError('ENODEV', `${this.#options.nameOf(offset)}: the GPIO chip is ${this.#away}`, {
        hint: 'the line can be used when the chip is back',
      });
    }
    const why = this.#awaited.why(offset);
    if (why === undefined) throw new KernelError('EINVAL', `line ${offset} is none of the lines that are held`);
    throw new KernelError('EBUSY', `${this.#options.nameOf(offset)} is ${why}`, {
      hint: 'it is taken as soon as it is free',
    });
  }
}

/** The logical level that an output was given last, as it is called after a change. */
function levelAfter(before: LineConfig, after: LineConfig, level: Level | undefined): Level | undefined {
  if (level === undefined || before.direction !== 'out' || after.direction !== 'out') return undefined;
  if ((before.activeLow ?? false) === (after.activeLow ?? false)) return level;
  return level === 1 ? 0 : 1;
}
