// The requests that hold the lines of one chip: which line is in which, and what becomes of them when others are wanted.

import { sameLineConfig } from '../../kernel/gpio/line-config.js';
import {
  type EdgeMark,
  type GpioCapabilities,
  type GpioChip,
  KernelError,
  type LineConfig,
  type LineRequest,
  type LineRequestOptions,
} from '../../kernel/index.js';
import type { KeptLines } from './kept-lines.js';

/** What all requests have in common. */
export type RequestOptions = Omit<LineRequestOptions, 'lines'>;

/** How a line is left that is held only because others of its request are: nobody is interrupted by it, and it drives nothing. */
function parked(offset: number): LineConfig {
  return { offset, direction: 'in' };
}

/**
 * Which lines are asked for together. The kernel neither adds lines to a request nor takes some away, so each line has one of
 * its own, but for those with edges: one read brings the edges of all of them, in order.
 */
export function requestGroups(lines: readonly LineConfig[], { reconfigure }: GpioCapabilities): LineConfig[][] {
  const together: LineConfig[] = [];
  const groups: LineConfig[][] = [];
  for (const line of lines) {
    // What cannot be changed while it is held is let go for that, and takes no others with it.
    if (reconfigure && (line.edge ?? 'none') !== 'none') together.push(line);
    else groups.push([line]);
  }
  return together.length === 0 ? groups : [together, ...groups];
}

/** A line that is none of ours any more, and is held until `until`, the others of its request, are let go. */
export interface ParkedLine {
  readonly offset: number;
  readonly until: readonly number[];
}

/** A line that was given up, and is held as it was. */
export interface NotParked {
  readonly offset: number;
  readonly error: KernelError;
}

/** Requests on one chip, as long as it is there. Each call that reaches the driver fails as the driver does. */
export class LineRequests {
  readonly #chip: GpioChip;
  readonly #options: RequestOptions;
  readonly #kept: KeptLines | undefined;
  /** By offset; undefined for lines that are parked. */
  readonly #byOffset: (LineRequest | undefined)[] = [];
  /** What each line of a request is now, the parked ones included. */
  readonly #held = new Map<LineRequest, Map<number, LineConfig>>();

  /** `kept` has them outlive the process. */
  constructor(chip: GpioChip, options: RequestOptions, kept?: KeptLines) {
    this.#chip = chip;
    this.#options = options;
    this.#kept = kept;
  }

  /** All requests that there are. */
  get all(): Iterable<LineRequest> {
    return this.#held.keys();
  }

  /** Lines that are held only since others of their request are. */
  get parked(): ParkedLine[] {
    return [...this.#held.values()].flatMap((lines) => {
      const until = [...lines.keys()].filter((offset) => this.holds(offset));
      return [...lines.keys()].filter((offset) => !this.holds(offset)).map((offset) => ({ offset, until }));
    });
  }

  /** The request of a line that is in use. */
  of(offset: number): LineRequest | undefined {
    return this.#byOffset[offset];
  }

  /** Whether a line is in use: held, and not parked. */
  holds(offset: number): boolean {
    return this.#byOffset[offset] !== undefined;
  }

  /** What a line is now, parked ones included; undefined when it is not held. */
  configOf(offset: number): LineConfig | undefined {
    return this.#requestWith(offset)?.lines.get(offset);
  }

  /** Where the progress of a line is written down for the next process; undefined where it is not. */
  markOf(offset: number): EdgeMark | undefined {
    const request = this.#byOffset[offset];
    return request === undefined ? undefined : this.#kept?.markOf(request, offset);
  }

  /** Reads no more edges of what the next process takes over. */
  pause(): void {
    for (const request of this.#held.keys()) this.#kept?.pause(this.#chip, request);
  }

  /** Asks for lines, all in one request. */
  take(lines: readonly LineConfig[]): LineRequest {
    const request = this.#chip.requestLines({ ...this.#options, lines });
    this.add(request, lines);
    this.#kept?.keep(this.#chip, request, lines, this.#options);
    return request;
  }

  /** Takes a request over whose lines are as told. */
  add(request: LineRequest, lines: readonly LineConfig[]): void {
    this.#held.set(request, new Map(lines.map((line) => [line.offset, line])));
    for (const { offset } of lines) this.#byOffset[offset] = request;
  }

  /**
   * Makes a held line what it is to be, in place: no other line of its request is touched. A parked one is in use again. When
   * it is refused the line stays as it was.
   *
   * @returns whether the hardware had to be told
   */
  change(line: LineConfig): boolean {
    const found = this.#requestWith(line.offset);
    if (found === undefined) throw new KernelError('EINVAL', `line ${line.offset} is not held`);
    const { request, lines } = found;
    const before = lines.get(line.offset);
    const asItIs = before !== undefined && sameLineConfig(before, line);
    if (asItIs) lines.set(line.offset, line);
    else this.#reconfigure(request, lines, line);
    this.#byOffset[line.offset] = request;
    return !asItIs;
  }

  /**
   * Gives lines up. Those whose request has others that are in use are parked until it ends.
   *
   * @returns those that stay as they were, since they could not be parked
   */
  letGo(offsets: readonly number[]): NotParked[] {
    const notParked: NotParked[] = [];
    for (const offset of offsets) this.#byOffset[offset] = undefined;
    for (const [request, lines] of this.#held) {
      const inUse = [...lines.keys()].some((offset) => this.#byOffset[offset] === request);
      if (!inUse) {
        this.#held.delete(request);
        this.#kept?.drop(request);
        request.release();
        continue;
      }
      for (const offset of offsets) {
        if (!lines.has(offset)) continue;
        try {
          this.#reconfigure(request, lines, parked(offset));
        } catch (error) {
          if (!(error instanceof KernelError) || error.code === 'ENODEV') throw error;
          notParked.push({ offset, error });
        }
      }
    }
    return notParked;
  }

  /** Lets all go; with `forGood` for the next process too. */
  releaseAll(forGood: boolean): void {
    for (const request of this.#held.keys()) {
      if (forGood) this.#kept?.drop(request);
      request.release();
    }
    this.#held.clear();
    this.#byOffset.length = 0;
  }

  #requestWith(offset: number): { request: LineRequest; lines: Map<number, LineConfig> } | undefined {
    for (const [request, lines] of this.#held) if (lines.has(offset)) return { request, lines };
    return undefined;
  }

  #reconfigure(request: LineRequest, lines: Map<number, LineConfig>, changed: LineConfig): void {
    request.reconfigure([...lines.values()].map((line) => (line.offset === changed.offset ? changed : line)));
    lines.set(changed.offset, changed);
    this.#kept?.reconfigured(request, [...lines.values()]);
  }
}
