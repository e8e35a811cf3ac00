// Edges on their way from a top half to its thread: a ring of typed arrays, which counts what it has no room for.

/** One edge, copied out of the ring. */
export interface EdgeRecord {
  /** In ns of the machine's clock. */
  readonly stampNs: number;
  readonly rising: boolean;
  readonly lineSeqno: number;
  /** Ns since the edge before on this line; -1 for the first. */
  readonly sinceLastNs: number;
}

/** First in, first out; filled in interrupt context, emptied by one task. */
export class EdgeRing {
  /** Edges that found it full. Their top half ran; their thread and work did not. */
  dropped = 0;
  readonly #mask: number;
  readonly #stamps: Float64Array;
  readonly #sinceLast: Float64Array;
  readonly #seqnos: Uint32Array;
  readonly #rising: Uint8Array;
  #head = 0;
  #tail = 0;

  /** `capacity` is a power of two. */
  constructor(capacity = 1024) {
    this.#mask = capacity - 1;
    this.#stamps = new Float64Array(capacity);
    this.#sinceLast = new Float64Array(capacity);
    this.#seqnos = new Uint32Array(capacity);
    this.#rising = new Uint8Array(capacity);
  }

  push(stampNs: number, rising: boolean, lineSeqno: number, sinceLastNs: number): void {
    if (this.#tail - this.#head > this.#mask) {
      this.dropped++;
      return;
    }
    const at = this.#tail++ & this.#mask;
    this.#stamps[at] = stampNs;
    this.#sinceLast[at] = sinceLastNs;
    this.#seqnos[at] = lineSeqno;
    this.#rising[at] = rising ? 1 : 0;
  }

  take(): EdgeRecord | undefined {
    if (this.#head === this.#tail) return undefined;
    const at = this.#head++ & this.#mask;
    return {
      stampNs: this.#stamps[at] ?? 0,
      rising: this.#rising[at] === 1,
      lineSeqno: this.#seqnos[at] ?? 0,
      sinceLastNs: this.#sinceLast[at] ?? -1,
    };
  }
}
