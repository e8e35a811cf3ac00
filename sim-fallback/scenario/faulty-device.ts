// A GPIO chip behind a device file whose reader can be made to lose edges, get them late or too rarely, or lose the chip.
import {
  type Alarm,
  type ChipInfo,
  type Clock,
  EDGE_BATCH_MAX,
  EdgeBatch,
  type EdgeSink,
  type GoneListener,
  type GpioCapabilities,
  type GpioChip,
  KernelError,
  type Level,
  type LineConfig,
  type LineInfo,
  type LineInfoChange,
  type LineRequest,
  type LineRequestOptions,
} from '../../kernel/index.js';

/** Words of one record in an {@link EdgeBatch}. */
const RECORD_WORDS = 12;

/** What goes wrong between the kernel's FIFO and its reader, for all requests of a device. */
class Trouble {
  readonly clock: Clock;
  /** Edges of each line that are still to be lost. */
  readonly lose = new Map<number, number>();
  /** Until when nobody reads. */
  stalledUntilNs = 0;
  /** How late edges come, and until when. */
  lateByNs = 0;
  lateUntilNs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** When an edge that comes now can be read. */
  readableNs(nowNs: number): number {
    const late = nowNs < this.lateUntilNs ? nowNs + this.lateByNs : nowNs;
    return Math.max(late, this.stalledUntilNs);
  }

  /** True for an edge that is lost; counts it. */
  loses(offset: number): boolean {
    const left = this.lose.get(offset) ?? 0;
    if (left === 0) return false;
    if (left === 1) this.lose.delete(offset);
    else this.lose.set(offset, left - 1);
    return true;
  }
}

/** The FIFO of a request: edges pass straight through until something goes wrong. */
class TroubledFifo {
  readonly #trouble: Trouble;
  readonly #entries: number;
  readonly #sink: EdgeSink;
  readonly #alarm: Alarm;
  readonly #out = new EdgeBatch();
  readonly #words: Uint32Array;
  readonly #due: Float64Array;
  #in = 0;
  #read = 0;
  #lastDueNs = 0;

  constructor(trouble: Trouble, entries: number, sink: EdgeSink) {
    this.#trouble = trouble;
    this.#entries = entries;
    this.#sink = sink;
    this.#words = new Uint32Array(entries * RECORD_WORDS);
    this.#due = new Float64Array(entries);
    this.#alarm = trouble.clock.createAlarm(() => this.#deliver());
  }

  readonly take = (batch: EdgeBatch): void => {
    const { clock, lose } = this.#trouble;
    const now = clock.now();
    const readable = this.#trouble.readableNs(now);
    if (readable === now && lose.size === 0 && this.#in === this.#read) {
      this.#sink(batch);
      return;
    }
    for (let i = 0; i < batch.count; i++) if (!this.#trouble.loses(batch.offset(i))) this.#put(batch, i, readable);
    if (this.#in !== this.#read && !this.#alarm.scheduled) this.#alarm.schedule(this.#dueOf(this.#read));
  };

  close(): void {
    this.#alarm.cancel();
    this.#read = this.#in;
  }

  /** A full FIFO drops its oldest entry, as the kernel's does. */
  #put(batch: EdgeBatch, i: number, readableNs: number): void {
    if (this.#in - this.#read === this.#entries) this.#read++;
    const at = this.#in++ % this.#entries;
    const from = i * RECORD_WORDS;
    this.#words.set(batch.words.subarray(from, from + RECORD_WORDS), at * RECORD_WORDS);
    this.#lastDueNs = Math.max(this.#lastDueNs, readableNs);
    this.#due[at] = this.#lastDueNs;
  }

  #dueOf(index: number): number {
    return this.#due[index % this.#entries] ?? 0;
  }

  #deliver(): void {
    const now = this.#trouble.clock.now();
    const end = this.#trouble.stalledUntilNs;
    while (this.#in !== this.#read && end <= now && this.#dueOf(this.#read) <= now) {
      let count = 0;
      while (count < EDGE_BATCH_MAX && this.#in !== this.#read && this.#dueOf(this.#read) <= now) {
        const at = (this.#read++ % this.#entries) * RECORD_WORDS;
        this.#out.words.set(this.#words.subarray(at, at + RECORD_WORDS), count++ * RECORD_WORDS);
      }
      this.#out.count = count;
      this.#sink(this.#out);
    }
    if (this.#in !== this.#read) this.#alarm.schedule(Math.max(end, this.#dueOf(this.#read)));
  }
}

/** A request of a {@link FaultyChip}. */
class FaultyRequest implements LineRequest {
  readonly #inner: LineRequest;
  readonly #trouble: Trouble;
  readonly #onRelease: (request: FaultyRequest) => void;
  #fifo: TroubledFifo | undefined;
  #gone: KernelError | undefined;
  #listeners: GoneListener[] = [];
  #released = false;

  constructor(inner: LineRequest, trouble: Trouble, onRelease: (request: FaultyRequest) => void) {
    this.#inner = inner;
    this.#trouble = trouble;
    this.#onRelease = onRelease;
  }

  get offsets(): readonly number[] {
    return this.#inner.offsets;
  }

  get eventBufferSize(): number {
    return this.#inner.eventBufferSize;
  }

  getValue(offset: number): Level {
    return this.#present.getValue(offset);
  }

  setValue(offset: number, value: Level): void {
    this.#present.setValue(offset, value);
  }

  getValues(): Level[] {
    return this.#present.getValues();
  }

  setValues(values: ReadonlyMap<number, Level>): void {
    this.#present.setValues(values);
  }

  reconfigure(lines: readonly LineConfig[]): void {
    this.#present.reconfigure(lines);
  }

  onEdges(sink: EdgeSink): void {
    const inner = this.#present;
    const fifo = new TroubledFifo(this.#trouble, inner.eventBufferSize, sink);
    inner.onEdges(fifo.take);
    this.#fifo = fifo;
  }

  onGone(listener: GoneListener): void {
    if (this.#gone !== undefined) soon(this.#trouble.clock, [listener], this.#gone);
    else if (this.#released) this.#inner.onGone(listener);
    else this.#listeners.push(listener);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#letGo();
    this.#onRelease(this);
  }

  /** The chip was unplugged. */
  lost(error: KernelError): void {
    this.#gone = error;
    this.#letGo();
    soon(this.#trouble.clock, this.#listeners, error);
    this.#listeners = [];
  }

  #letGo(): void {
    this.#fifo?.close();
    this.#inner.release();
  }

  /** The request below; it says itself that it was released. */
  get #present(): LineRequest {
    if (this.#gone !== undefined && !this.#released) throw this.#gone;
    return this.#inner;
  }
}

/** Calls listeners from an alarm that is due at once, as news come from the event loop. */
function soon(clock: Clock, listeners: readonly GoneListener[], error: KernelError): void {
  if (listeners.length === 0) return;
  clock
    .createAlarm(() => {
      for (const listener of listeners) listener(error);
    })
    .schedule(clock.now());
}

/** One opener of a {@link FaultyDevice}. */
class FaultyChip implements GpioChip {
  readonly driver: string;
  readonly simulated: boolean;
  readonly info: ChipInfo;
  readonly capabilities: GpioCapabilities;
  readonly #inner: GpioChip;
  readonly #trouble: Trouble;
  readonly #onClose: (chip: FaultyChip) => void;
  readonly #requests = new Set<FaultyRequest>();
  #listeners: GoneListener[] = [];
  #gone: KernelError | undefined;

  constructor(inner: GpioChip, trouble: Trouble, onClose: (chip: FaultyChip) => void) {
    this.driver = inner.driver;
    this.simulated = inner.simulated;
    this.info = inner.info;
    this.capabilities = inner.capabilities;
    this.#inner = inner;
    this.#trouble = trouble;
    this.#onClose = onClose;
  }

  lineInfo(offset: number): LineInfo {
    return this.#present.lineInfo(offset);
  }

  requestLines(options: LineRequestOptions): LineRequest {
    const inner = this.#present.requestLines(options);
    const request = new FaultyRequest(inner, this.#trouble, (released) => this.#requests.delete(released));
    this.#requests.add(request);
    return request;
  }

  watchLineInfo(offset: number, listener: (change: LineInfoChange) => void): () => void {
    return this.#present.watchLineInfo(offset, listener);
  }

  onGone(listener: GoneListener): void {
    if (this.#gone === undefined) this.#listeners.push(listener);
    else soon(this.#trouble.clock, [listener], this.#gone);
  }

  close(): void {
    for (const request of [...this.#requests]) request.release();
    this.#inner.close();
    this.#onClose(this);
  }

  /** The chip was unplugged. */
  lost(error: KernelError): void {
    this.#gone = error;
    for (const request of this.#requests) request.lost(error);
    this.#inner.close();
    soon(this.#trouble.clock, this.#listeners, error);
    this.#listeners = [];
  }

  get #present(): GpioChip {
    if (this.#gone !== undefined) throw this.#gone;
    return this.#inner;
  }
}

/** A device file with a chip behind it, and what can go wrong with it. Times are ns of the clock. */
export class FaultyDevice {
  readonly #openInner: () => GpioChip;
  readonly #trouble: Trouble;
  readonly #chips = new Set<FaultyChip>();
  #plugged = true;

  /** @param open opens the chip behind it once more */
  constructor(clock: Clock, open: () => GpioChip) {
    this.#trouble = new Trouble(clock);
    this.#openInner = open;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  /** Opens the device. `ENODEV` while the chip is unplugged. */
  open(): GpioChip {
    if (!this.#plugged) throw gone('open');
    const chip = new FaultyChip(this.#openInner(), this.#trouble, (closed) => this.#chips.delete(closed));
    this.#chips.add(chip);
    return chip;
  }

  /** The next `count` edges of a line are lost; their numbers are missing. */
  lose(offset: number, count: number): void {
    this.#trouble.lose.set(offset, (this.#trouble.lose.get(offset) ?? 0) + count);
  }

  /** For so long from now, edges can be read only so long after they came. */
  delay(byNs: number, forNs: number): void {
    this.#trouble.lateByNs = byNs;
    this.#trouble.lateUntilNs = this.#trouble.clock.now() + forNs;
  }

  /** For so long from now, nobody reads; what the FIFO has no room for is lost. */
  stall(forNs: number): void {
    const until = this.#trouble.clock.now() + forNs;
    this.#trouble.stalledUntilNs = Math.max(this.#trouble.stalledUntilNs, until);
  }

  /** Takes the chip away from all who have opened it; they are told. */
  unplug(): void {
    if (!this.#plugged) return;
    this.#plugged = false;
    const chips = [...this.#chips];
    this.#chips.clear();
    for (const chip of chips) chip.lost(gone('the chip'));
  }

  /** The chip is there again; whoever had it opens it anew. */
  plug(): void {
    this.#plugged = true;
  }
}

function gone(what: string): KernelError {
  return new KernelError('ENODEV', `${what}: ENODEV: No such device`, { hint: 'the chip was unplugged' });
}
