// A request whose lines are held one by one, by a library that knows no requests of several lines.
import { ERRNO, KernelError } from '../kernel/errno.js';
import {
  EdgeBatch,
  type EdgeSink,
  type GoneListener,
  type GpioCapabilities,
  type Level,
  type LineConfig,
  type LineRequest,
} from '../kernel/gpio/driver.js';
import { checkLines, linesInOrder } from '../kernel/gpio/line-config.js';
import { systemError } from './chardev/errors.js';
import { GoneNotice } from './chardev/listeners.js';
import { checkSettings, refuse } from './refusals.js';

/** One line that a library holds. What fails is a KernelError; `ENODEV` when the chip is gone. */
export interface HeldLine {
  /** Its logical level. */
  get(): Level;
  /** Drives it to a logical level; only called for an output. */
  set(value: Level): void;
  /** Starts to report edges, also those of a later {@link configure}: fills `batch`, sets its count, calls `deliver`. */
  listen(batch: EdgeBatch, deliver: () => void): void;
  /** Takes a new configuration without letting go; only called where the driver has the capability `reconfigure`. */
  configure(line: LineConfig): void;
  /** Lets it go. Does not throw. */
  release(): void;
}

/** The chip of a {@link HeldLines}. */
export interface HeldLinesOwner {
  readonly driver: string;
  readonly name: string;
  readonly lines: number;
  readonly capabilities: GpioCapabilities;
  released(request: HeldLines): void;
  /** A call found that the chip is gone. */
  found(gone: KernelError): void;
}

/** {@link LineRequest} over lines that are held one by one: several are read or set one after the other. */
export class HeldLines implements LineRequest {
  readonly offsets: readonly number[];
  readonly eventBufferSize: number;
  readonly #owner: HeldLinesOwner;
  readonly #held: ReadonlyMap<number, HeldLine>;
  readonly #gone = new GoneNotice();
  readonly #batch = new EdgeBatch();
  #lines: readonly LineConfig[];
  #sink: EdgeSink | undefined;
  #released = false;

  /** `held` are the lines of `lines`, in their order; `eventBufferSize` is that of one line. */
  constructor(owner: HeldLinesOwner, lines: readonly LineConfig[], held: readonly HeldLine[], eventBufferSize: number) {
    this.#owner = owner;
    this.#lines = lines.map((line) => ({ ...line }));
    this.offsets = lines.map((line) => line.offset);
    const byOffset = new Map<number, HeldLine>();
    held.forEach((line, index) => {
      const offset = this.offsets[index];
      if (offset !== undefined) byOffset.set(offset, line);
    });
    this.#held = byOffset;
    this.eventBufferSize = eventBufferSize;
  }

  /** Configuration of one of the lines; `undefined` for a line that is not one of them. */
  lineConfig(offset: number): LineConfig | undefined {
    return this.#lines.find((line) => line.offset === offset);
  }

  getValue(offset: number): Level {
    const line = this.#line(offset);
    this.#alive('getValue');
    return this.#watch(() => line.get());
  }

  getValues(): Level[] {
    this.#alive('getValues');
    return this.#watch(() => Array.from(this.#held.values(), (line) => line.get()));
  }

  setValue(offset: number, value: Level): void {
    const line = this.#output(offset);
    this.#watch(() => line.set(value));
  }

  setValues(values: ReadonlyMap<number, Level>): void {
    this.#alive('setValues');
    // All are looked up before any is set.
    const outputs = Array.from(values, ([offset, value]) => [this.#output(offset), value] as const);
    this.#watch(() => {
      for (const [line, value] of outputs) line.set(value);
    });
  }

  /** Where it fails half-way, the lines before have their new configuration. */
  reconfigure(lines: readonly LineConfig[]): void {
    this.#alive('reconfigure');
    const { driver, capabilities } = this.#owner;
    if (!capabilities.reconfigure) {
      refuse(driver, 'reconfigure', 'it cannot change lines that are held', 'release the lines and request them again');
    }
    checkLines(lines, this.#owner.lines);
    checkSettings(driver, capabilities, lines);
    const ordered = linesInOrder(this.offsets, lines);
    this.#watch(() => {
      for (const line of ordered) this.#held.get(line.offset)?.configure(line);
    });
    this.#lines = ordered;
  }

  onEdges(sink: EdgeSink): void {
    this.#alive('onEdges');
    if (this.#sink !== undefined) {
      throw new KernelError('EBUSY', 'onEdges: the request has a sink', {
        hint: 'one sink takes all edges of a request; share them out from there',
      });
    }
    const deliver = (): void => this.#sink?.(this.#batch);
    this.#watch(() => {
      for (const line of this.#held.values()) line.listen(this.#batch, deliver);
    });
    this.#sink = sink;
  }

  onGone(listener: GoneListener): void {
    this.#alive('onGone');
    this.#gone.add(listener);
  }

  /** Called by the chip when it is gone. */
  tellGone(error: Error): void {
    if (!this.#gone.told) this.#gone.tell(error);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#sink = undefined;
    for (const line of this.#held.values()) line.release();
    this.#owner.released(this);
  }

  /** Runs `action`; if that finds that the chip is gone, the chip hears of it. */
  #watch<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof KernelError && error.code === 'ENODEV') this.#owner.found(error);
      throw error;
    }
  }

  #line(offset: number): HeldLine {
    const line = this.#held.get(offset);
    if (line === undefined) {
      throw new KernelError('EINVAL', `line ${offset} is not part of this request`, {
        hint: `it has lines ${this.offsets.join(', ')}`,
      });
    }
    return line;
  }

  #output(offset: number): HeldLine {
    const line = this.#line(offset);
    this.#alive('setValue');
    if (this.lineConfig(offset)?.direction !== 'out') {
      throw new KernelError('EPERM', `line ${offset} is an input`, {
        hint: "request or reconfigure it with direction 'out'",
      });
    }
    return line;
  }

  #alive(operation: string): void {
    if (this.#released) throw systemError(`${operation} on ${this.#owner.name}`, ERRNO.EBADF);
  }
}
