// The interrupt domain of a GPIO chip whose edges come from a driver in batches: each edge is one hard interrupt.
import { KernelError } from '../errno.js';
import { handleEdgeIrq } from '../irq/chip.js';
import { IRQ_TYPE_LEVEL_MASK } from '../irq/flags.js';
import type { IrqChip, IrqDesc } from '../irq/irqdesc.js';
import { IrqDomain } from '../irq/irqdomain.js';
import type { Machine } from '../machine.js';
import { DONE, type Outcome } from '../sched/coroutine.js';
import type { EdgeBatch } from './driver.js';

/** Edges between driver and CPU; a power of two. More than a driver hands over at once, so only a stuck CPU fills it. */
const QUEUE_SIZE = 4096;
const QUEUE_MASK = QUEUE_SIZE - 1;

/** Which edge an interrupt stands for; valid in the top half of its line. */
export interface EdgeInfo {
  /** When, in ns of the machine's clock. */
  readonly stampNs: number;
  /** Rising after active-low was applied. */
  readonly rising: boolean;
  /** Number of the edge on its line, 0 when the driver does not know. */
  readonly lineSeqno: number;
}

/** Where the interrupts of GPIO lines come from: the simulated chip's own domain, or {@link EdgeDomain}. */
export interface GpioIrqSource {
  /** The interrupt number of a line (gpiod_to_irq). `EINVAL` outside the chip. */
  toIrq(offset: number): number;
  /** The edge that is being handled. */
  readonly edge: EdgeInfo;
}

/** What is known of the edges of one line. */
export interface EdgeCounts {
  readonly received: number;
  /** Lost before they were read, by the gaps in the line's sequence numbers; undefined when the driver has none. */
  readonly lost: number | undefined;
}

/** What an {@link EdgeDomain} is made from. */
export interface EdgeDomainOptions {
  /** Shown in /proc/interrupts, e.g. `gpiochip0`. */
  readonly name: string;
  readonly lines: number;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: bigint;
  /** The driver numbers the edges of each line. */
  readonly hasSeqno: boolean;
  /** Told once a batch for each line that has a gap. Hot path: only called when edges were lost. */
  readonly onLost?: (offset: number, lost: number) => void;
}

/**
 * Feeds a driver's edges into the model. {@link deliver} queues a batch and lets the CPUs run: each edge is taken as an
 * interrupt of its own, in order, by CPU 0, and nothing is allocated on the way to the top half.
 */
export class EdgeDomain implements GpioIrqSource {
  readonly domain: IrqDomain;
  /** The edge that is being handled. */
  readonly edge: { stampNs: number; rising: boolean; lineSeqno: number } = { stampNs: 0, rising: false, lineSeqno: 0 };
  readonly #machine: Machine;
  readonly #options: EdgeDomainOptions;
  readonly #originHigh: number;
  readonly #originLow: number;
  readonly #lines = new Uint16Array(QUEUE_SIZE);
  readonly #rising = new Uint8Array(QUEUE_SIZE);
  readonly #stamps = new Float64Array(QUEUE_SIZE);
  readonly #seqnos = new Uint32Array(QUEUE_SIZE);
  #head = 0;
  #tail = 0;
  readonly #masked: Uint8Array;
  readonly #latched: Uint8Array;
  readonly #received: Float64Array;
  readonly #lost: Float64Array;
  readonly #lastSeqno: Uint32Array;

  constructor(machine: Machine, options: EdgeDomainOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#originHigh = Number(options.originNs >> 32n);
    this.#originLow = Number(options.originNs & 0xffff_ffffn);
    this.#masked = new Uint8Array(options.lines).fill(1);
    this.#latched = new Uint8Array(options.lines);
    this.#received = new Float64Array(options.lines);
    this.#lost = new Float64Array(options.lines);
    this.#lastSeqno = new Uint32Array(options.lines);
    this.domain = new IrqDomain(machine, {
      name: options.name,
      size: options.lines,
      chip: this.#chip(),
      flow: handleEdgeIrq,
    });
    machine.setHandleIrq(() => this.#takeOne());
  }

  toIrq(offset: number): number {
    return this.domain.createMapping(offset);
  }

  countsOf(offset: number): EdgeCounts {
    return {
      received: this.#received[offset] ?? 0,
      lost: this.#options.hasSeqno ? (this.#lost[offset] ?? 0) : undefined,
    };
  }

  /** Takes a batch in; a sink for {@link LineRequest.onEdges}. */
  deliver(batch: EdgeBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const line = batch.offset(i);
      if (line >= this.#options.lines) continue;
      const seqno = batch.lineSeqno(i);
      this.#received[line] = (this.#received[line] ?? 0) + 1;
      if (this.#options.hasSeqno) this.#account(line, seqno);
      this.#push(line, batch.rising(i), batch.timestampSince(i, this.#originHigh, this.#originLow), seqno);
    }
    this.#machine.bootCpu.setIrqLine(this.#head !== this.#tail);
  }

  #account(line: number, seqno: number): void {
    const expected = ((this.#lastSeqno[line] ?? 0) + 1) >>> 0;
    this.#lastSeqno[line] = seqno;
    if (seqno === expected) return;
    this.#lose(line, (seqno - expected) >>> 0);
  }

  #lose(line: number, count: number): void {
    this.#lost[line] = (this.#lost[line] ?? 0) + count;
    this.#options.onLost?.(line, count);
  }

  #push(line: number, rising: boolean, stampNs: number, seqno: number): void {
    if (this.#tail - this.#head === QUEUE_SIZE) {
      this.#lose(line, 1);
      return;
    }
    const at = this.#tail++ & QUEUE_MASK;
    this.#lines[at] = line;
    this.#rising[at] = rising ? 1 : 0;
    this.#stamps[at] = stampNs;
    this.#seqnos[at] = seqno;
  }

  /** The root interrupt handler: the oldest edge. The CPU comes again while the line is asserted. */
  #takeOne(): Outcome {
    if (this.#head === this.#tail) {
      this.#machine.bootCpu.setIrqLine(false);
      return DONE;
    }
    const at = this.#head++ & QUEUE_MASK;
    if (this.#head === this.#tail) this.#machine.bootCpu.setIrqLine(false);
    const line = this.#lines[at] ?? 0;
    const { edge } = this;
    edge.stampNs = this.#stamps[at] ?? 0;
    edge.rising = this.#rising[at] === 1;
    edge.lineSeqno = this.#seqnos[at] ?? 0;
    if (this.#masked[line] === 1) {
      this.#latched[line] = 1;
      return DONE;
    }
    return this.domain.handle(line);
  }

  /** The kernel keeps reporting edges whatever is masked here, so masking is done on this side, with one latch a line. */
  #chip(): IrqChip {
    return {
      name: this.#options.name,
      mask: ({ hwirq }: IrqDesc) => {
        this.#masked[hwirq] = 1;
      },
      unmask: ({ hwirq }: IrqDesc) => {
        this.#masked[hwirq] = 0;
        if (this.#latched[hwirq] === 0) return;
        this.#latched[hwirq] = 0;
        this.#push(hwirq, this.edge.rising, this.#machine.clock.now(), 0);
        this.#machine.bootCpu.setIrqLine(true);
      },
      setType: ({ hwirq }: IrqDesc, type: number) => {
        if ((type & IRQ_TYPE_LEVEL_MASK) === 0) return;
        throw new KernelError('EINVAL', `${this.#options.name} line ${hwirq}: the kernel reports edges, not levels`);
      },
    };
  }
}
