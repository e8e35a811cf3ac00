// Edges on their way from a top half to its thread: a ring of typed arrays, which counts what it has no room for.
import type { Level } from '../../kernel/index.js';

/** One edge, copied out of the ring. */
export interface EdgeRecord {
  /** In ns of the machine's clock. */
  readonly stampNs: number;
  readonly rising: boolean;
  /** 0 when the driver has none. */
  readonly lineSeqno: number;
  /** Ns since the edge before on this line; -1 for the first. */
  readonly sinceLastNs: number;
  /** When the actions of the top half were done, in ns of the machine's clock. */
  readonly doneNs: number;
  /** Levels that those actions gave their lines: bit 0 is the first action's. */
  readonly levels: number;
  /** Those of the actions that failed, or were left out, and gave no level, likewise. */
  readonly failed: number;
}

/** First in, first out; filled in interrupt context, emptied by one task. */
export class EdgeRing {
  /** Edges that found it full. Their top half ran; their thread or work did not. */
  dropped = 0;
  readonly #mask: number;
  readonly #stamps: Float64Array;
  readonly #sinceLast: Float64Array;
  readonly #done: Float64Array;
  readonly #seqnos: Uint32Array;
  readonly #levels: Int32Array;
  readonly #failed: Int32Array;
  readonly #rising: Uint8Array;
  #head = 0;
  #tail = 0;

  /** `capacity` is a power of two. */
  constructor(capacity = 1024) {
    this.#mask = capacity - 1;
    this.#stamps = new Float64Array(capacity);
    this.#sinceLast = new Float64Array(capacity);
    this.#done = new Float64Array(capacity);
    this.#seqnos = new Uint32Array(capacity);
    this.#levels = new Int32Array(capacity);
    this.#failed = new Int32Array(capacity);
    this.#rising = new Uint8Array(capacity);
  }

  /** Edges in it. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Puts an edge in, or counts it as dropped. Takes its fields one by one, since an object for each would be garbage. */
  push(
    stampNs: number,
    rising: boolean,
    lineSeqno: number,
    sinceLastNs: number,
    doneNs: number,
    levels: number,
    failed: number,
  ): void {
    if (this.length > this.#mask) {
      this.dropped++;
      return;
    }
    const at = this.#tail++ & this.#mask;
    this.#stamps[at] = stampNs;
    this.#sinceLast[at] = sinceLastNs;
    this.#done[at] = doneNs;
    this.#seqnos[at] = lineSeqno;
    this.#levels[at] = levels;
    this.#failed[at] = failed;
    this.#rising[at] = rising ? 1 : 0;
  }

  /** Puts a copy of an edge in, or counts it as dropped. */
  add({ stampNs, rising, lineSeqno, sinceLastNs, doneNs, levels, failed }: EdgeRecord): void {
    this.push(stampNs, rising, lineSeqno, sinceLastNs, doneNs, levels, failed);
  }

  /** Takes the oldest edge out. */
  take(): EdgeRecord | undefined {
    if (this.#head === this.#tail) return undefined;
    const at = this.#head++ & this.#mask;
    return {
      stampNs: this.#stamps[at] ?? 0,
      rising: this.#rising[at] === 1,
      lineSeqno: this.#seqnos[at] ?? 0,
      sinceLastNs: this.#sinceLast[at] ?? -1,
      doneNs: this.#done[at] ?? 0,
      levels: this.#levels[at] ?? 0,
      failed: this.#failed[at] ?? 0,
    };
  }

  /** Takes the oldest edge out, of which nothing but the level after it is wanted: allocates nothing. */
  takeLevel(): Level | undefined {
    if (this.#head === this.#tail) return undefined;
    return this.#rising[this.#head++ & this.#mask] === 1 ? 1 : 0;
  }

  /** Takes all out. @returns how many there were. */
  clear(): number {
    const { length } = this;
    this.#head = this.#tail;
    return length;
  }
}
