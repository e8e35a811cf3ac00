// The lines of a chip that is there: taken, changed and let go of until they are as they are wanted.
import { sameLineConfig } from '../../kernel/gpio/line-config.js';
import {
  type EdgeMark,
  type EdgeSink,
  type GpioChip,
  KernelError,
  type Level,
  type LineConfig,
  type LineRequest,
} from '../../kernel/index.js';
import { AwaitedLines, heldBy } from './awaited-lines.js';
import type { KeptLines } from './kept-lines.js';
import { markedLevel, markedRest, markLevel, markRest } from './kept-record.js';
import { LineRequests, type ParkedLine, type RequestOptions, requestGroups } from './line-requests.js';

/** Times that a request is tried while others take and free its lines. */
const ATTEMPTS = 8;

/** What is wanted of lines, whether their chip is there or not. */
export interface WantedLines {
  /** By offset. */
  readonly configs: Map<number, LineConfig>;
  /** Logical levels that outputs were last given, by offset. */
  readonly levels: (Level | undefined)[];
}

/** What {@link ChipLines} are made from. */
export interface ChipLinesOptions {
  /** Belongs to the lines from now on. */
  readonly chip: GpioChip;
  readonly wanted: WantedLines;
  readonly requests: RequestOptions;
  /** Has the requests outlive the process. */
  readonly kept?: KeptLines | undefined;
  /** See LineNotices. */
  onWaiting(offset: number, why: string): void;
  onHeld(offset: number): void;
  /** See LastingLinesOptions. */
  onAnew(offset: number, mark?: EdgeMark): void;
  /** The chip is gone. May come more than once. */
  onGone(error: Error): void;
  /** Who takes the edges, if somebody does already. */
  sink(): EdgeSink | undefined;
}

/** A request that was there before, and what its lines are. */
export interface HeldRequest {
  readonly request: LineRequest;
  readonly lines: readonly LineConfig[];
}

/** Of one chip, until it is gone. Calls that reach the driver fail as the driver does, with `ENODEV` when the chip is gone. */
export class ChipLines {
  readonly chip: GpioChip;
  readonly #options: ChipLinesOptions;
  readonly #wanted: WantedLines;
  readonly #requests: LineRequests;
  readonly #awaited: AwaitedLines;
  /** Held lines that could not be made what they are to be, and why. */
  readonly #unchanged = new Map<number, string>();

  constructor(options: ChipLinesOptions) {
    this.chip = options.chip;
    this.#options = options;
    this.#wanted = options.wanted;
    this.#requests = new LineRequests(options.chip, options.requests, options.kept);
    this.#awaited = new AwaitedLines(this.#lineChanged, options.onWaiting);
  }

  /** The requests that there are now. */
  get requests(): Iterable<LineRequest> {
    return this.#requests.all;
  }

  /** Lines that are held only until the last of their request is let go. */
  get parked(): readonly ParkedLine[] {
    return this.#requests.parked;
  }

  /** The request of a line that is in use. */
  of(offset: number): LineRequest | undefined {
    return this.#requests.of(offset);
  }

  /** Why a line is not held, in words after "is"; undefined when it is. */
  waitingFor(offset: number): string | undefined {
    return this.#awaited.why(offset);
  }

  /** What is not as it is wanted, a sentence each. */
  problems(nameOf: (offset: number) => string): string[] {
    return [
      ...this.#awaited.offsets.map((offset) => `${nameOf(offset)} is ${this.#awaited.why(offset)}`),
      ...[...this.#unchanged].flatMap(([offset, why]) =>
        this.#requests.configOf(offset) === undefined ? [] : `${nameOf(offset)} is still as it was: ${why}`,
      ),
    ];
  }

  /** Takes all lines. Errors as the driver's, but for lines that others hold. @param held what is taken over first */
  take(held: readonly HeldRequest[] = []): void {
    this.chip.onGone(this.#options.onGone);
    for (const { request, lines } of held) this.#keep(request, lines);
    this.#endPulses();
    this.#converge();
    this.#takeMissing();
  }

  /**
   * Takes all lines of a chip that has come back: one that is refused keeps none of the others from being held. Errors as the
   * driver's when all are.
   */
  takeAgain(): void {
    this.chip.onGone(this.#options.onGone);
    const refused: [offset: number, error: KernelError][] = [];
    this.#takeMissing((offset, error) => refused.push([offset, error]));
    const [first] = refused;
    if (first !== undefined && refused.length === this.#wanted.configs.size) throw first[1];
    for (const [offset, error] of refused) this.#awaitChange(offset, error);
  }

  /** Makes of the lines what is wanted now; what is refused is waited for, or stays as it was. `removed` are wanted no more. */
  update(removed: readonly number[]): void {
    for (const offset of removed) this.#awaited.forget(offset);
    const leftover = [...this.#unchanged.keys()].filter((offset) => !this.#wanted.configs.has(offset));
    this.#letGo([...new Set([...removed, ...leftover])]);
    this.#converge();
    this.#awaited.forgetRefused();
    this.#takeMissing((offset, error) => this.#awaitChange(offset, error));
  }

  /** An output was given a level. */
  noteLevel(offset: number, level: Level | undefined): void {
    this.#wanted.levels[offset] = level;
    const mark = this.#requests.markOf(offset);
    if (mark !== undefined) markLevel(mark, level);
  }

  /** See {@link LastingLines.noteRest}. */
  noteRest(offset: number, rest: Level | undefined): void {
    const mark = this.#requests.markOf(offset);
    if (mark !== undefined) markRest(mark, rest);
  }

  onEdges(sink: EdgeSink): void {
    for (const request of this.#requests.all) request.onEdges(sink);
  }

  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void {
    this.#requests.pause();
  }

  /** Lets the lines and the chip go; with `forGood` what is kept for the next process, too. */
  close(forGood: boolean): void {
    this.#awaited.forgetAll();
    this.#unchanged.clear();
    this.#requests.releaseAll(forGood);
    this.chip.close();
  }

  /** Ends the pulses that the process before has left. */
  #endPulses(): void {
    for (const offset of this.#wanted.configs.keys()) {
      const mark = this.#requests.markOf(offset);
      const rest = mark === undefined ? undefined : markedRest(mark);
      if (rest === undefined) continue;
      this.noteRest(offset, undefined);
      if (this.#requests.configOf(offset)?.direction !== 'out') continue;
      this.#requests.of(offset)?.setValue(offset, rest);
      this.noteLevel(offset, rest);
    }
  }

  /** Makes held lines what they are to be; those of requests that nobody wants are let go. */
  #converge(): void {
    const { reconfigure } = this.chip.capabilities;
    for (const line of this.#wanted.configs.values()) {
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
      this.noteLevel(line.offset, levelAfter(before, line, this.#wanted.levels[line.offset]));
    }
  }

  /**
   * Takes all lines that are not held. Those that others hold are waited for.
   *
   * @param onRefused of a line that is refused for another reason; default: throws that
   */
  #takeMissing(onRefused?: (offset: number, error: KernelError) => void): void {
    const missing = [...this.#wanted.configs.keys()].filter((offset) => !this.#requests.holds(offset));
    for (const group of this.#groups(missing)) this.#takeGroup(group, onRefused);
  }

  #groups(offsets: readonly number[]): number[][] {
    const lines = offsets.flatMap((offset) => this.#configNow(offset) ?? []);
    return requestGroups(lines, this.chip.capabilities).map((group) => group.map(({ offset }) => offset));
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
      if (mark === undefined || !this.#wanted.configs.has(offset)) continue;
      this.#wanted.levels[offset] = markedLevel(mark);
      this.#options.onAnew(offset, mark);
    }
    this.#letGo(lines.map(({ offset }) => offset).filter((offset) => !this.#wanted.configs.has(offset)));
  }

  /** One that cannot be parked is held as it was, and tried again at the next update. */
  #letGo(offsets: readonly number[]): void {
    for (const offset of offsets) this.#unchanged.delete(offset);
    for (const { offset, error } of this.#requests.letGo(offsets)) this.#unchanged.set(offset, error.message);
  }

  #awaitChange(offset: number, { message }: KernelError): void {
    this.#awaited.awaitChange(this.chip, offset, `refused: ${message}`);
  }

  #serve(request: LineRequest): void {
    request.onGone(this.#options.onGone);
    const sink = this.#options.sink();
    if (sink !== undefined) request.onEdges(sink);
  }

  /** An output that was set is to have that level again, unless it is to keep what it has. */
  #configNow(offset: number): LineConfig | undefined {
    const config = this.#wanted.configs.get(offset);
    const level = this.#wanted.levels[offset];
    return config === undefined || level === undefined || config.initial === 'keep'
      ? config
      : { ...config, initial: level };
  }

  /** After `EBUSY`: waits for those lines that are held. @returns false when the error is another, or they cannot be told */
  #awaitHeld(offsets: readonly number[], error: KernelError): boolean {
    const { lineHolders, lineInfoWatch } = this.chip.capabilities;
    if (error.code !== 'EBUSY' || !lineHolders || !lineInfoWatch) return false;
    for (const offset of offsets) {
      if (this.chip.lineInfo(offset).used) this.#awaited.awaitHolder(this.chip, offset);
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
      const { used, consumer } = this.chip.lineInfo(offset);
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
    this.#options.onHeld(offset);
  }
}

/** The logical level that an output was given last, as it is called after a change. */
function levelAfter(before: LineConfig, after: LineConfig, level: Level | undefined): Level | undefined {
  if (level === undefined || before.direction !== 'out' || after.direction !== 'out') return undefined;
  if ((before.activeLow ?? false) === (after.activeLow ?? false)) return level;
  return level === 1 ? 0 : 1;
}
