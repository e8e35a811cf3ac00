// The service's lines on hardware: held for as long as it runs, also when the chip goes and comes back, or a line is another's.
import {
  type ChipInfo,
  type EdgeSink,
  type GpioChip,
  KernelError,
  type Level,
  type LineConfig,
  type LineRequest,
} from '../../kernel/index.js';
import { hostTimer, type StartTimer } from './bursts.js';

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
  readonly consumer: string;
  readonly notices: LineNotices;
  /** Without it a chip that is gone stays gone. */
  readonly comeback?: Comeback | undefined;
  /** A line was requested anew: its edges are numbered from 1 again. */
  readonly onAnew: (offset: number) => void;
  /** What users call a line. */
  readonly nameOf: (offset: number) => string;
}

/** A line that is waited for. */
interface Waiting {
  why: string;
  readonly unwatch: () => void;
}

/**
 * Lines of one chip. A line that somebody else holds is taken as soon as it is free, where the driver can tell who holds it
 * and when it is freed; else it is an error, as any other. When the chip is gone all lines are let go of, and taken back from
 * the next chip with the same label: an output then gets the level that it had been given last.
 */
export class LastingLines {
  readonly #options: LastingLinesOptions;
  readonly #configs = new Map<number, LineConfig>();
  /** By offset. */
  readonly #requests: (LineRequest | undefined)[] = [];
  readonly #taken = new Set<LineRequest>();
  readonly #waiting = new Map<number, Waiting>();
  /** Logical levels that outputs were last given, by offset. */
  readonly #levels: (Level | undefined)[] = [];
  /** Lines that had edges while their chip was gone, or may have had. */
  readonly #missed = new Set<number>();
  #chip: GpioChip;
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
    for (const line of options.lines) this.#configs.set(line.offset, line);
    try {
      this.#takeAll();
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

  /** What keeps lines from being held, in one sentence; undefined when all are. */
  get problem(): string | undefined {
    if (this.#gone !== undefined) {
      const waits = this.#options.comeback === undefined ? '' : '; it is waited for';
      const vain = this.#vain === undefined ? '' : ` (${this.#vain})`;
      return `the GPIO chip is gone: ${this.#gone.message}${waits}${vain}`;
    }
    if (this.#waiting.size === 0) return undefined;
    return [...this.#waiting].map(([offset, { why }]) => `${this.#options.nameOf(offset)} is ${why}`).join(', ');
  }

  /** Why a line is not held; undefined when it is. */
  waitingFor(offset: number): string | undefined {
    if (this.#gone !== undefined) return 'the chip is gone';
    return this.#waiting.get(offset)?.why;
  }

  /** True when edges of a line may have come while its chip was gone: nobody knows how many. */
  missed(offset: number): boolean {
    return this.#missed.has(offset);
  }

  /** `ENODEV` while the chip is gone, `EBUSY` for a line that is somebody else's; others as {@link LineRequest.getValue}. */
  getValue(offset: number): Level {
    return (this.#requests[offset] ?? this.#absent(offset)).getValue(offset);
  }

  /** Errors as {@link getValue}, and as {@link LineRequest.setValue}. */
  setValue(offset: number, value: Level): void {
    (this.#requests[offset] ?? this.#absent(offset)).setValue(offset, value);
    this.#levels[offset] = value;
  }

  /** Starts the delivery of edges, of lines that are taken later too. */
  onEdges(sink: EdgeSink): void {
    this.#sink = sink;
    for (const request of this.#taken) request.onEdges(sink);
  }

  /** Lets the lines and the chip go. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#letGo();
  }

  #takeAll(): void {
    const offsets = [...this.#configs.keys()];
    const chip = this.#chip;
    chip.onGone((error) => this.#onGone(chip, error));
    for (let attempt = 1; ; attempt++) {
      const free = offsets.filter((offset) => !this.#waiting.has(offset));
      try {
        if (free.length > 0) this.#take(free);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS || !this.#awaitHeld(free, error)) throw error;
      }
    }
  }

  #take(offsets: readonly number[]): void {
    const { consumer, onAnew } = this.#options;
    const lines = offsets.flatMap((offset) => this.#configNow(offset) ?? []);
    const chip = this.#chip;
    const request = chip.requestLines({ lines, consumer });
    this.#taken.add(request);
    for (const offset of offsets) {
      this.#requests[offset] = request;
      onAnew(offset);
    }
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
  #awaitHeld(offsets: readonly number[], error: unknown): boolean {
    const { lineHolders, lineInfoWatch } = this.#chip.capabilities;
    if (!(error instanceof KernelError) || error.code !== 'EBUSY' || !lineHolders || !lineInfoWatch) return false;
    for (const offset of offsets) if (this.#chip.lineInfo(offset).used) this.#await(offset);
    return true;
  }

  #await(offset: number): void {
    const unwatch = this.#chip.watchLineInfo(offset, this.#changed);
    const info = this.#chip.lineInfo(offset);
    // Freed before it was watched.
    if (!info.used) {
      unwatch();
      return;
    }
    const why = heldBy(info.consumer);
    this.#waiting.set(offset, { why, unwatch });
    this.#options.notices.onWaiting(offset, why);
  }

  /**
   * A line that is waited for has changed. All of them are looked at: of many changes at once the kernel drops those that
   * it has no room for (it keeps 32), as when a program ends that held them all.
   */
  readonly #changed = (): void => {
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
    for (const [offset, waiting] of this.#waiting) {
      const { used, consumer } = this.#chip.lineInfo(offset);
      if (used) this.#stillWaiting(offset, waiting, heldBy(consumer));
      else freed.push(offset);
    }
    const refused = freed.length === 0 ? undefined : this.#refusalOf(freed);
    if (refused === undefined) {
      for (const offset of freed) this.#held(offset);
      return true;
    }
    if (refused.code === 'EBUSY') return false;
    for (const offset of freed) this.#takeAlone(offset, refused, freed.length === 1);
    return true;
  }

  #refusalOf(offsets: readonly number[]): KernelError | undefined {
    try {
      this.#take(offsets);
      return undefined;
    } catch (error) {
      if (!(error instanceof KernelError) || error.code === 'ENODEV') throw error;
      return error;
    }
  }

  /** One that is refused keeps none of the others from being taken. */
  #takeAlone(offset: number, before: KernelError, tried: boolean): void {
    const refused = tried ? before : this.#refusalOf([offset]);
    const waiting = this.#waiting.get(offset);
    if (refused === undefined) this.#held(offset);
    else if (waiting !== undefined) this.#stillWaiting(offset, waiting, `free, and refused: ${refused.message}`);
  }

  #held(offset: number): void {
    this.#waiting.get(offset)?.unwatch();
    this.#waiting.delete(offset);
    this.#options.notices.onHeld(offset);
  }

  #stillWaiting(offset: number, waiting: Waiting, why: string): void {
    if (waiting.why === why) return;
    waiting.why = why;
    this.#options.notices.onWaiting(offset, why);
  }

  #onGone(chip: GpioChip, error: Error): void {
    // Each request tells of it, and the chip itself.
    if (chip !== this.#chip || this.#gone !== undefined || this.#closed) return;
    for (const [offset, { edge = 'none' }] of this.#configs) {
      if (edge !== 'none' && this.#requests[offset] !== undefined) this.#missed.add(offset);
    }
    this.#gone = error;
    this.#vain = undefined;
    this.#letGo();
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
      this.#takeAll();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#vain = error.message;
      this.#letGo();
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

  #letGo(): void {
    for (const { unwatch } of this.#waiting.values()) unwatch();
    this.#waiting.clear();
    for (const request of this.#taken) request.release();
    this.#taken.clear();
    this.#requests.length = 0;
    this.#chip.close();
  }

  #absent(offset: number): never {
    if (this.#gone !== undefined) {
      throw new KernelError('ENODEV', `${this.#options.nameOf(offset)}: the GPIO chip is gone`, {
        hint: 'the line can be used again when the chip is back',
      });
    }
    const why = this.#waiting.get(offset)?.why;
    if (why === undefined) throw new KernelError('EINVAL', `line ${offset} is none of the lines that are held`);
    throw new KernelError('EBUSY', `${this.#options.nameOf(offset)} is ${why}`, {
      hint: 'it is taken as soon as it is free',
    });
  }
}

function heldBy(consumer: string): string {
  return consumer === '' ? 'held by the kernel' : `held by '${consumer}'`;
}
