// Edges on their way: the queue to each CPU, and what masked and disabled lines keep.
import type { EdgeBatch } from './driver.js';

/** Which edge an interrupt stands for; valid in the top half of its line. */
export interface EdgeInfo {
  /** When, in ns of the machine's clock. */
  readonly stampNs: number;
  /** Rising after active-low was applied. */
  readonly rising: boolean;
  /** Number of the edge on its line, 0 when the driver does not know. */
  readonly lineSeqno: number;
}

/** Edges between driver and CPU; a power of two. More than a driver hands over at once, so only a stuck CPU fills it. */
const QUEUE_SIZE = 4096;
const QUEUE_MASK = QUEUE_SIZE - 1;
const NO_LINE = -1;

/** The edges that one CPU has to take, oldest first, and the one that it is taking. */
export class EdgeQueue implements EdgeInfo {
  stampNs = 0;
  rising = false;
  lineSeqno = 0;
  readonly #lines = new Uint16Array(QUEUE_SIZE);
  readonly #rising = new Uint8Array(QUEUE_SIZE);
  readonly #stamps = new Float64Array(QUEUE_SIZE);
  readonly #seqnos = new Uint32Array(QUEUE_SIZE);
  #head = 0;
  #tail = 0;

  get empty(): boolean {
    return this.#head === this.#tail;
  }

  get full(): boolean {
    return ((this.#tail - this.#head) | 0) === QUEUE_SIZE;
  }

  /** Appends an edge. The queue is not full. */
  push(line: number, rising: boolean, stampNs: number, seqno: number): void {
    this.#put(this.#tail & QUEUE_MASK, line, rising, stampNs, seqno);
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Appends record `i` of a batch, its stamp taken from `origin`. The queue is not full. */
  append(line: number, batch: EdgeBatch, i: number, origin: Uint32Array): void {
    const at = this.#tail & QUEUE_MASK;
    this.#lines[at] = line;
    this.#rising[at] = batch.rising(i) ? 1 : 0;
    batch.timestampInto(this.#stamps, at, i, origin);
    this.#seqnos[at] = batch.lineSeqno(i);
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Puts an edge before all others. The queue is not full. */
  unshift(line: number, rising: boolean, stampNs: number, seqno: number): void {
    this.#head = (this.#head - 1) | 0;
    this.#put(this.#head & QUEUE_MASK, line, rising, stampNs, seqno);
  }

  #put(at: number, line: number, rising: boolean, stampNs: number, seqno: number): void {
    this.#lines[at] = line;
    this.#rising[at] = rising ? 1 : 0;
    this.#stamps[at] = stampNs;
    this.#seqnos[at] = seqno;
  }

  /** Takes the oldest edge, which is then the one that the queue shows; its line, or -1 when there is none. */
  take(): number {
    if (this.#head === this.#tail) return NO_LINE;
    const at = this.#head & QUEUE_MASK;
    this.#head = (this.#head + 1) | 0;
    this.stampNs = this.#stamps[at] ?? 0;
    this.rising = this.#rising[at] === 1;
    this.lineSeqno = this.#seqnos[at] ?? 0;
    return this.#lines[at] ?? 0;
  }

  /** Hands the edges of a line over to another queue, in order; what finds no room there is given to `drop`. */
  moveLine(line: number, to: EdgeQueue, drop: () => void): void {
    const end = this.#tail;
    let kept = this.#head;
    for (let at = this.#head; at !== end; at = (at + 1) | 0) {
      const from = at & QUEUE_MASK;
      const [rising, stamp, seqno] = [this.#rising[from] === 1, this.#stamps[from] ?? 0, this.#seqnos[from] ?? 0];
      if (this.#lines[from] !== line) {
        this.#put(kept & QUEUE_MASK, this.#lines[from] ?? 0, rising, stamp, seqno);
        kept = (kept + 1) | 0;
      } else if (to.full) {
        drop();
      } else {
        to.push(line, rising, stamp, seqno);
      }
    }
    this.#tail = kept;
  }
}

/** The edge that each masked or disabled line has kept: the last one, as a hardware latch that later edges write over. */
export class KeptEdges {
  readonly kept: Uint8Array;
  readonly rising: Uint8Array;
  readonly stamps: Float64Array;
  readonly seqnos: Uint32Array;

  constructor(lines: number) {
    this.kept = new Uint8Array(lines);
    this.rising = new Uint8Array(lines);
    this.stamps = new Float64Array(lines);
    this.seqnos = new Uint32Array(lines);
  }

  keep(line: number, edge: EdgeInfo): void {
    this.kept[line] = 1;
    this.rising[line] = edge.rising ? 1 : 0;
    this.stamps[line] = edge.stampNs;
    this.seqnos[line] = edge.lineSeqno;
  }
}
