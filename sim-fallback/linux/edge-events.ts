// The edges of a request: their numbers, the bounded FIFO, and batches to the sink outside of interrupt context.
import { type Alarm, EDGE_BATCH_MAX, EdgeBatch, type EdgeSink, type Machine } from '../../kernel/index.js';
import type { EdgeTaker } from './line-edges.js';
import type { PinctrlBcm2835 } from './pinctrl-bcm2835.js';

const TWO_TO_32 = 0x1_0000_0000;

/** What {@link EdgeEvents} are made from. */
export interface EdgeEventsOptions {
  readonly machine: Machine;
  readonly pinctrl: PinctrlBcm2835;
  readonly originNs: bigint;
  readonly label: string;
  /** Lines of the request. */
  readonly lines: number;
  /** Entries of the FIFO; a power of two. */
  readonly entries: number;
}

/** Between the interrupt threads of a request and its sink (struct linereq of drivers/gpio/gpiolib-cdev.c). */
export class EdgeEvents implements EdgeTaker {
  readonly machine: Machine;
  readonly pinctrl: PinctrlBcm2835;
  readonly label: string;
  readonly entries: number;
  readonly #alarm: Alarm;
  readonly #singleLine: boolean;
  readonly #originHigh: number;
  readonly #originLow: number;
  readonly #batch = new EdgeBatch();
  readonly #offsets: Uint8Array;
  readonly #rising: Uint8Array;
  readonly #stamps: Float64Array;
  readonly #seqnos: Uint32Array;
  readonly #lineSeqnos: Uint32Array;
  /** Entries ever put in and taken out; their difference is what waits. */
  #in = 0;
  #out = 0;
  #seqno = 0;
  #sink: EdgeSink | undefined;
  #closed = false;

  constructor(options: EdgeEventsOptions) {
    this.machine = options.machine;
    this.pinctrl = options.pinctrl;
    this.label = options.label;
    this.entries = options.entries;
    this.#singleLine = options.lines === 1;
    this.#originHigh = Number(options.originNs >> 32n);
    this.#originLow = Number(options.originNs & 0xffff_ffffn);
    this.#offsets = new Uint8Array(options.entries);
    this.#rising = new Uint8Array(options.entries);
    this.#stamps = new Float64Array(options.entries);
    this.#seqnos = new Uint32Array(options.entries);
    this.#lineSeqnos = new Uint32Array(options.entries);
    this.#alarm = options.machine.clock.createAlarm(() => this.#deliver());
  }

  get hasSink(): boolean {
    return this.#sink !== undefined;
  }

  nextSeqno(): number {
    this.#seqno = (this.#seqno + 1) >>> 0;
    return this.#seqno;
  }

  /** The number over the request is that of the line when it is the only one. When the FIFO is full, the oldest goes. */
  push(offset: number, rising: boolean, stampNs: number, seqno: number, lineSeqno: number): void {
    if (this.#closed) return;
    if (this.#in - this.#out === this.entries) this.#out++;
    const at = this.#in++ & (this.entries - 1);
    this.#offsets[at] = offset;
    this.#rising[at] = rising ? 1 : 0;
    this.#stamps[at] = stampNs;
    this.#seqnos[at] = this.#singleLine ? lineSeqno : seqno;
    this.#lineSeqnos[at] = lineSeqno;
    if (this.#sink !== undefined) this.#wake();
  }

  /** Starts delivery, beginning with what waits. */
  start(sink: EdgeSink): void {
    this.#sink = sink;
    if (this.#in !== this.#out) this.#wake();
  }

  /** Drops what waits, and takes and delivers nothing any more. */
  close(): void {
    this.#closed = true;
    this.#alarm.cancel();
  }

  #wake(): void {
    if (!this.#alarm.scheduled) this.#alarm.schedule(this.machine.clock.now());
  }

  #deliver(): void {
    const count = Math.min(this.#in - this.#out, EDGE_BATCH_MAX);
    for (let i = 0; i < count; i++) this.#copy(i, this.#out++ & (this.entries - 1));
    this.#batch.count = count;
    try {
      this.#sink?.(this.#batch);
    } catch (error) {
      this.machine.oops(`edge sink of ${this.label}`, error);
    }
    if (this.#in !== this.#out && !this.#closed) this.#wake();
  }

  #copy(i: number, at: number): void {
    const stamp = Math.floor(this.#stamps[at] ?? 0);
    const low = this.#originLow + (stamp % TWO_TO_32);
    const high = this.#originHigh + Math.floor(stamp / TWO_TO_32) + (low >= TWO_TO_32 ? 1 : 0);
    const rising = this.#rising[at] === 1;
    this.#batch.write(i, high, low, rising, this.#offsets[at] ?? 0, this.#seqnos[at] ?? 0, this.#lineSeqnos[at] ?? 0);
  }
}
