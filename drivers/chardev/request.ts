// Lines held through the character device: values, reconfiguration, and edges in batches.
import { release } from 'node:os';
import { ERRNO, KernelError } from '../../kernel/errno.js';
import {
  EdgeBatch,
  type EdgeSink,
  type EventClock,
  type GoneListener,
  type Level,
  type LineConfig,
  type LineRequest,
} from '../../kernel/gpio/driver.js';
import type { ChardevAddon, RequestHandle } from './addon.js';
import { checkLines, keepsLevel, packLineConfig, sameLineConfig } from './config.js';
import { systemError } from './errors.js';
import { GoneNotice } from './listeners.js';
import { skipsLinesWithoutDirection } from './release.js';

const SKIPS_LINES = skipsLinesWithoutDirection(release());

/** What a request knows of the chip that made it. */
export interface RequestOwner {
  readonly name: string;
  readonly lines: number;
  released(request: ChardevRequest): void;
  /** A call found that the chip is gone. */
  found(gone: KernelError): void;
}

/** The levels that outputs take at a request: {@link LineConfig.initial}, by line; 0 where that is to be read first. */
export function initialLevels(lines: readonly LineConfig[]): Level[] {
  return lines.map(({ initial = 0 }) => (initial === 'keep' ? 0 : initial));
}

/** struct gpio_v2_line_request, as {@link LineRequest}. Made by `ChardevChip.requestLines`. */
export class ChardevRequest implements LineRequest {
  readonly offsets: readonly number[];
  readonly eventBufferSize: number;
  readonly #addon: ChardevAddon;
  readonly #handle: RequestHandle;
  readonly #owner: RequestOwner;
  readonly #clock: EventClock;
  readonly #indexOf = new Map<number, number>();
  /** Bits low, bits high, mask low, mask high: what a value call takes. Used again for each, so that none allocates. */
  readonly #words = new Uint32Array(4);
  readonly #gone = new GoneNotice();
  readonly #batch = new EdgeBatch();
  #lines: readonly LineConfig[];
  /** Logical levels that the outputs were last given, by index. */
  readonly #levels: Level[];
  #sink: EdgeSink | undefined;
  #listening = false;
  #released = false;

  constructor(
    addon: ChardevAddon,
    handle: RequestHandle,
    owner: RequestOwner,
    lines: readonly LineConfig[],
    levels: readonly Level[],
    eventBufferSize: number,
    clock: EventClock,
  ) {
    this.#addon = addon;
    this.#handle = handle;
    this.#owner = owner;
    this.#lines = lines.map((line) => ({ ...line }));
    this.#levels = [...levels];
    this.#clock = clock;
    this.eventBufferSize = eventBufferSize;
    this.offsets = lines.map((line) => line.offset);
    this.offsets.forEach((offset, index) => {
      this.#indexOf.set(offset, index);
    });
  }

  /** Its descriptor, which it goes on owning. */
  get descriptor(): number {
    const fd = this.#addon.descriptor(this.#handle);
    this.#check(fd, 'descriptor');
    return fd;
  }

  /** For a request that was taken over: the levels that its outputs were last given, by line, or else have. */
  restore(levels: readonly (Level | undefined)[]): void {
    const found = this.getValues();
    found.forEach((level, index) => {
      this.#levels[index] = levels[index] ?? level;
    });
  }

  /** Drives the outputs that keep their level to what they have now. Only before anything else was done with them. */
  takeOver(): void {
    // They have no direction yet, and so no polarity: what is read is physical.
    const found = this.getValues();
    const levels = this.#lines.map((line, index) =>
      keepsLevel(line) ? turnedIf(line.activeLow === true, found[index] ?? 0) : (this.#levels[index] ?? 0),
    );
    this.#configure(this.#lines, levels, 'requestLines');
  }

  getValue(offset: number): Level {
    const index = this.#index(offset);
    this.#clearWords();
    this.#select(index);
    this.#check(this.#addon.getValues(this.#handle, this.#words), 'getValue');
    return this.#bit(index);
  }

  getValues(): Level[] {
    this.#clearWords();
    for (let index = 0; index < this.offsets.length; index++) this.#select(index);
    this.#check(this.#addon.getValues(this.#handle, this.#words), 'getValues');
    return this.offsets.map((_, index) => this.#bit(index));
  }

  setValue(offset: number, value: Level): void {
    const index = this.#output(offset);
    this.#clearWords();
    this.#select(index);
    if (value === 1) this.#raise(index);
    this.#check(this.#addon.setValues(this.#handle, this.#words), 'setValue');
    this.#levels[index] = value;
  }

  setValues(values: ReadonlyMap<number, Level>): void {
    this.#clearWords();
    for (const [offset, value] of values) {
      const index = this.#output(offset);
      this.#select(index);
      if (value === 1) this.#raise(index);
    }
    if (values.size === 0) return;
    this.#check(this.#addon.setValues(this.#handle, this.#words), 'setValues');
    for (const [offset, value] of values) this.#levels[this.#output(offset)] = value;
  }

  /**
   * A line that stays an output keeps its physical level; `initial` counts for lines that become outputs. Lines that stay as
   * they are are not touched, and nobody who watches them is told anything, where the kernel can do that.
   */
  reconfigure(lines: readonly LineConfig[]): void {
    this.#alive('reconfigure');
    checkLines(lines, this.#owner.lines);
    const byOffset = new Map(lines.map((line) => [line.offset, { ...line }]));
    const ordered: LineConfig[] = [];
    for (const offset of this.offsets) {
      const line = byOffset.get(offset);
      if (line !== undefined) ordered.push(line);
    }
    if (ordered.length !== this.offsets.length || lines.length !== this.offsets.length) {
      throw new KernelError('EINVAL', `reconfigure: the request has lines ${this.offsets.join(', ')}`, {
        hint: 'give a configuration for exactly these lines',
      });
    }
    const found = ordered.some(keepsLevel) ? this.getValues() : [];
    const levels = ordered.map((line, index) => this.#levelAfter(line, index, found[index] ?? 0));
    this.#configure(ordered, levels, 'reconfigure', SKIPS_LINES ? this.#isAlready : undefined);
  }

  readonly #isAlready = (line: LineConfig, index: number): boolean => {
    const before = this.#lines[index];
    return before !== undefined && sameLineConfig(before, line);
  };

  #configure(
    lines: readonly LineConfig[],
    levels: readonly Level[],
    operation: string,
    asIs?: (line: LineConfig, index: number) => boolean,
  ): void {
    const config = packLineConfig(lines, levels, this.#clock, asIs);
    this.#check(this.#addon.setConfig(this.#handle, config), operation);
    this.#lines = lines;
    levels.forEach((level, index) => {
      this.#levels[index] = level;
    });
  }

  onEdges(sink: EdgeSink): void {
    this.#alive('onEdges');
    if (this.#sink !== undefined) {
      throw new KernelError('EBUSY', 'onEdges: the request has a sink', {
        hint: 'one sink takes all edges of a request; share them out from there',
      });
    }
    this.#listen();
    this.#check(this.#addon.setReading(this.#handle, true), 'onEdges');
    this.#sink = sink;
  }

  /** Reads no more edges; they wait in the FIFO. */
  pause(): void {
    if (this.#sink === undefined || this.#gone.told) return;
    this.#check(this.#addon.setReading(this.#handle, false), 'pause');
  }

  onGone(listener: GoneListener): void {
    this.#alive('onGone');
    this.#gone.add(listener);
    this.#listen();
  }

  /** Called by the chip too, when it is gone. */
  tellGone(error: KernelError): void {
    if (!this.#gone.told && !this.#released) this.#gone.tell(error);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#addon.close(this.#handle);
    this.#owner.released(this);
  }

  /** Called by the addon: `count` records are in the batch, or the descriptor failed with `errno`. */
  readonly #deliver = (count: number, errno: number): void => {
    if (errno !== 0) {
      this.tellGone(systemError(`lines of ${this.#owner.name}`, errno, undefined, this.#owner.name));
      return;
    }
    this.#batch.count = count;
    this.#sink?.(this.#batch);
  };

  #listen(): void {
    if (this.#listening) return;
    const buffer = this.#batch.words.buffer as ArrayBuffer;
    this.#check(this.#addon.listen(this.#handle, buffer, this.#deliver), 'listen');
    this.#listening = true;
  }

  /** `found`: the logical level that the line has now; only looked at for one that keeps it. */
  #levelAfter(line: LineConfig, index: number, found: Level): Level {
    const before = this.#lines[index];
    const turned = (line.activeLow ?? false) !== (before?.activeLow ?? false);
    if (line.direction === 'out' && before?.direction === 'out') return turnedIf(turned, this.#levels[index] ?? 0);
    const { initial = 0 } = line;
    return initial === 'keep' ? turnedIf(turned, found) : initial;
  }

  #index(offset: number): number {
    const index = this.#indexOf.get(offset);
    if (index === undefined) {
      throw new KernelError('EINVAL', `line ${offset} is not part of this request`, {
        hint: `it has lines ${this.offsets.join(', ')}`,
      });
    }
    return index;
  }

  #output(offset: number): number {
    const index = this.#index(offset);
    if (this.#lines[index]?.direction !== 'out') {
      this.#alive('setValue');
      throw new KernelError('EPERM', `line ${offset} is an input`, {
        hint: "request or reconfigure it with direction 'out'",
      });
    }
    return index;
  }

  #clearWords(): void {
    this.#words.fill(0);
  }

  #select(index: number): void {
    const word = index < 32 ? 2 : 3;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (index & 31));
  }

  #raise(index: number): void {
    const word = index < 32 ? 0 : 1;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (index & 31));
  }

  #bit(index: number): Level {
    return (((this.#words[index < 32 ? 0 : 1] ?? 0) >>> (index & 31)) & 1) === 1 ? 1 : 0;
  }

  #alive(operation: string): void {
    if (this.#released) throw systemError(operation, ERRNO.EBADF);
  }

  #check(status: number, operation: string): void {
    if (status >= 0) return;
    const error = systemError(`${operation} on ${this.#owner.name}`, status, undefined, this.#owner.name);
    if (error.code === 'ENODEV') this.#owner.found(error);
    throw error;
  }
}

function turnedIf(turned: boolean, level: Level): Level {
  return (level === 1) !== turned ? 1 : 0;
}
