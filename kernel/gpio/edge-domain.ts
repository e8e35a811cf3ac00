// The interrupt domain of a GPIO chip whose edges come from a driver in batches: each edge is one hard interrupt.
import { KernelError } from '../errno.js';
import { IRQ_TYPE_LEVEL_MASK } from '../irq/flags.js';
import { handleEdgeIrq } from '../irq/flow.js';
import type { IrqChip, IrqDesc } from '../irq/irqdesc.js';
import { IrqDomain } from '../irq/irqdomain.js';
import type { Machine } from '../machine.js';
import { DONE, type Outcome } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { runningCpu } from '../sched/current.js';
import type { EdgeBatch } from './driver.js';
import { type EdgeInfo, EdgeQueue, KeptEdges } from './edge-queue.js';

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
  /**
   * Lost before their top half could run: by the gaps in the line's sequence numbers, and {@link dropped}. Undefined when
   * the driver has no numbers, for then nobody knows.
   */
  readonly lost: number | undefined;
  /** Received, and dropped because the queue to the CPU was full. */
  readonly dropped: number;
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
  /** Told once a batch for each line that lost edges, gaps and full queue together. */
  readonly onLost?: (offset: number, lost: number) => void;
}

/**
 * How far the edges of a line have come, by {@link Mark}: written at every edge into memory of whoever is to go on from there.
 */
export type EdgeMark = Uint32Array;

/** Words of an {@link EdgeMark}, which may be longer. */
export const Mark = {
  /** Number of the last edge that was received. */
  READ: 0,
  /** How many were received, and are neither taken as an interrupt nor counted as lost. */
  WAITING: 1,
} as const;

/** Gaps larger than this are none: the numbers went back, since the line was requested anew. */
const GAP_MAX = 0x7fff_ffff;

/** The edge that the running CPU is taking. Whoever keeps it finds there whichever is being handled. */
class RunningEdge implements EdgeInfo {
  readonly #first: EdgeQueue;
  /** Undefined on a machine with one CPU. */
  readonly #others: readonly EdgeQueue[] | undefined;

  constructor(first: EdgeQueue, queues: readonly EdgeQueue[]) {
    this.#first = first;
    this.#others = queues.length > 1 ? queues : undefined;
  }

  get stampNs(): number {
    return this.#others === undefined ? this.#first.stampNs : this.#own(this.#others).stampNs;
  }

  get rising(): boolean {
    return this.#others === undefined ? this.#first.rising : this.#own(this.#others).rising;
  }

  get lineSeqno(): number {
    return this.#others === undefined ? this.#first.lineSeqno : this.#own(this.#others).lineSeqno;
  }

  #own(queues: readonly EdgeQueue[]): EdgeQueue {
    return queues[runningCpu()?.id ?? 0] ?? this.#first;
  }
}

/**
 * Feeds a driver's edges into the model. {@link deliver} queues a batch and lets the CPUs run: each edge is taken as an
 * interrupt of its own, in order, by the CPU that its line is sent to, and nothing is allocated on the way to the top half.
 * A line goes to the first CPU of its affinity.
 */
export class EdgeDomain implements GpioIrqSource {
  readonly domain: IrqDomain;
  /** The edge that is being handled. */
  readonly edge: EdgeInfo;
  readonly #machine: Machine;
  readonly #options: EdgeDomainOptions;
  /** `[low, high]`, as the batch wants it. */
  readonly #origin: Uint32Array;
  /** By CPU. */
  readonly #queues: readonly EdgeQueue[];
  /** The CPU that each line is sent to. */
  readonly #cpuOf: Uint8Array;
  readonly #masked: Uint8Array;
  /** What came while a line was masked. */
  readonly #latch: KeptEdges;
  /** What the flow handler keeps as pending: it came while the line was disabled, or while its handlers ran. */
  readonly #pending: KeptEdges;
  readonly #received: Float64Array;
  readonly #lost: Float64Array;
  readonly #dropped: Float64Array;
  readonly #lastSeqno: Uint32Array;
  readonly #marks: (EdgeMark | undefined)[];
  /** Lost in the batch that is being taken in. */
  readonly #lostNow: Uint32Array;
  #anyLostNow = false;
  /** Where the edges of lines wait that are held up; see {@link hold}. */
  #waiting: EdgeQueue | undefined;
  readonly #heldUp: Uint8Array;
  /** The interrupt input of the CPUs that this domain is wired to. */
  readonly #input: number;

  constructor(machine: Machine, options: EdgeDomainOptions) {
    const { lines } = options;
    this.#machine = machine;
    this.#options = options;
    this.#origin = Uint32Array.of(Number(options.originNs & 0xffff_ffffn), Number(options.originNs >> 32n));
    this.#queues = machine.cpus.map(() => new EdgeQueue());
    this.edge = new RunningEdge(this.#queues[0] ?? new EdgeQueue(), this.#queues);
    this.#cpuOf = new Uint8Array(lines);
    this.#masked = new Uint8Array(lines).fill(1);
    this.#latch = new KeptEdges(lines);
    this.#pending = new KeptEdges(lines);
    this.#received = new Float64Array(lines);
    this.#lost = new Float64Array(lines);
    this.#dropped = new Float64Array(lines);
    this.#lastSeqno = new Uint32Array(lines);
    this.#marks = Array.from({ length: lines });
    this.#lostNow = new Uint32Array(lines);
    this.#heldUp = new Uint8Array(lines);
    this.domain = new IrqDomain(machine, {
      name: options.name,
      size: options.lines,
      chip: this.#chip(),
      flow: handleEdgeIrq,
    });
    this.#input = machine.irqInputs.add((cpu) => this.#takeOne(cpu));
  }

  toIrq(offset: number): number {
    return this.domain.createMapping(offset);
  }

  countsOf(offset: number): EdgeCounts {
    const dropped = this.#dropped[offset] ?? 0;
    const lost = this.#options.hasSeqno ? (this.#lost[offset] ?? 0) + dropped : undefined;
    return { received: this.#received[offset] ?? 0, lost, dropped };
  }

  /**
   * The line was requested anew from the driver, which numbers its edges from 1 again; or its numbers go on from a mark that
   * another left. What that had received and not taken is lost, and counted. `mark` is written from now on.
   */
  restart(offset: number, mark?: EdgeMark): void {
    this.#marks[offset] = mark;
    this.#lastSeqno[offset] = mark?.[Mark.READ] ?? 0;
    const left = mark?.[Mark.WAITING] ?? 0;
    if (mark === undefined || left === 0) return;
    mark[Mark.WAITING] = 0;
    this.#lost[offset] = (this.#lost[offset] ?? 0) + left;
    this.#options.onLost?.(offset, left);
  }

  #waits(line: number, more: 1 | -1): void {
    const mark = this.#marks[line];
    if (mark !== undefined) mark[Mark.WAITING] = (mark[Mark.WAITING] ?? 0) + more;
  }

  /** Takes a batch in; a sink for {@link LineRequest.onEdges}. */
  deliver(batch: EdgeBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const line = batch.offset(i);
      if (line >= this.#options.lines) {
        this.#machine.printk(
          'err',
          `${this.#options.name}: the driver reports an edge of line ${line}, of which there is none`,
        );
        continue;
      }
      const seqno = batch.lineSeqno(i);
      this.#received[line] = (this.#received[line] ?? 0) + 1;
      if (this.#options.hasSeqno) this.#account(line, seqno);
      this.#push(line, batch, i);
    }
    if (this.#anyLostNow) this.#tellLost(batch);
    for (const cpu of this.#machine.cpus) cpu.setIrqLine(this.#queues[cpu.id]?.empty === false, this.#input);
  }

  #account(line: number, seqno: number): void {
    const expected = ((this.#lastSeqno[line] ?? 0) + 1) >>> 0;
    this.#lastSeqno[line] = seqno;
    const mark = this.#marks[line];
    if (mark !== undefined) mark[Mark.READ] = seqno;
    const gap = (seqno - expected) >>> 0;
    if (gap === 0) return;
    const lost = gap <= GAP_MAX ? gap : seqno - 1;
    this.#lost[line] = (this.#lost[line] ?? 0) + lost;
    this.#lose(line, lost);
  }

  #lose(line: number, count: number): void {
    if (count === 0) return;
    this.#lostNow[line] = (this.#lostNow[line] ?? 0) + count;
    this.#anyLostNow = true;
  }

  #tellLost(batch: EdgeBatch): void {
    this.#anyLostNow = false;
    for (let i = 0; i < batch.count; i++) {
      const line = batch.offset(i);
      const lost = this.#lostNow[line] ?? 0;
      if (lost === 0) continue;
      this.#lostNow[line] = 0;
      this.#options.onLost?.(line, lost);
    }
  }

  /** Has the edges of a line wait, in order, while its handlers are exchanged. Idempotent; ends with {@link resume}. */
  hold(offset: number): void {
    if (this.#heldUp[offset] === 1) return;
    this.#heldUp[offset] = 1;
    this.#waiting ??= new EdgeQueue();
    const waiting = this.#waiting;
    this.#queues[this.#cpuOf[offset] ?? 0]?.moveLine(offset, waiting, () => this.#drop(offset));
  }

  /** Lets the edges of a line go on that {@link hold} has kept. */
  resume(offset: number): void {
    if (this.#heldUp[offset] !== 1) return;
    this.#heldUp[offset] = 0;
    const queue = this.#queueOf(offset);
    if (queue === undefined) return;
    this.#waiting?.moveLine(offset, queue, () => this.#drop(offset));
    if (!queue.empty) this.#machine.cpus[this.#cpuOf[offset] ?? 0]?.setIrqLine(true, this.#input);
  }

  /** Counts the edges of a line from 0: it is used for something else from now on. */
  forget(offset: number): void {
    this.#received[offset] = 0;
    this.#lost[offset] = 0;
    this.#dropped[offset] = 0;
  }

  /** Takes the domain off its machine. `EBUSY` while a line has an action. */
  remove(): void {
    for (let offset = 0; offset < this.#options.lines; offset++) this.domain.disposeMapping(offset);
    for (const cpu of this.#machine.cpus) cpu.setIrqLine(false, this.#input);
    this.#machine.irqInputs.remove(this.#input);
  }

  #queueOf(line: number): EdgeQueue | undefined {
    if (this.#heldUp[line] === 1) return this.#waiting;
    return this.#queues[this.#cpuOf[line] ?? 0];
  }

  #push(line: number, batch: EdgeBatch, i: number): void {
    const queue = this.#queueOf(line);
    if (queue?.full !== false) {
      this.#dropped[line] = (this.#dropped[line] ?? 0) + 1;
      this.#lose(line, 1);
      return;
    }
    queue.append(line, batch, i, this.#origin);
    this.#waits(line, 1);
  }

  /** A kept or moved edge finds no room. */
  #drop(line: number): void {
    this.#waits(line, -1);
    this.#dropped[line] = (this.#dropped[line] ?? 0) + 1;
    this.#options.onLost?.(line, 1);
  }

  /** A kept edge comes again, before all that came after it. */
  #giveBack(line: number, from: KeptEdges): void {
    if (from.kept[line] === 0) return;
    from.kept[line] = 0;
    this.#waits(line, 1);
    const queue = this.#queueOf(line);
    if (queue?.full !== false) {
      this.#drop(line);
      return;
    }
    queue.unshift(line, from.rising[line] === 1, from.stamps[line] ?? 0, from.seqnos[line] ?? 0);
    this.#machine.cpus[this.#cpuOf[line] ?? 0]?.setIrqLine(true, this.#input);
  }

  /** Sends a line to the first CPU of a mask, with the edges that are on their way to another. */
  #send(line: number, mask: number): number {
    const target = mask & -mask;
    const cpu = Math.log2(target);
    const [from, to] = [this.#queueOf(line), this.#queues[cpu]];
    if (to === undefined)
      throw new KernelError('EINVAL', `${this.#options.name} line ${line}: the machine has no such CPU`);
    this.#cpuOf[line] = cpu;
    if (from === undefined || from === to || from === this.#waiting) return target;
    from.moveLine(line, to, () => this.#drop(line));
    if (!to.empty) this.#machine.cpus[cpu]?.setIrqLine(true, this.#input);
    return target;
  }

  /** The root interrupt handler: the oldest edge for a CPU, which comes again while its line is asserted. */
  #takeOne(cpu: Cpu): Outcome {
    const queue = this.#queues[cpu.id];
    const line = queue?.take() ?? -1;
    if (queue?.empty !== false) cpu.setIrqLine(false, this.#input);
    if (queue === undefined || line < 0) return DONE;
    const desc = this.domain.descOf(line);
    // One that comes after its interrupt was freed is never taken.
    if (desc?.started === true) this.#waits(line, -1);
    if (this.#masked[line] === 0) return this.domain.handle(line);
    if (desc?.started === true && this.#latch.kept[line] === 1) desc.coalesced++;
    this.#latch.keep(line, queue);
    return DONE;
  }

  /** The kernel keeps reporting edges whatever is masked here, so masking is done on this side, with one latch a line. */
  #chip(): IrqChip {
    return {
      name: this.#options.name,
      startup: ({ hwirq }: IrqDesc) => {
        // What came before anyone asked for it is nobody's.
        this.#latch.kept[hwirq] = 0;
        this.#masked[hwirq] = 0;
      },
      mask: ({ hwirq }: IrqDesc) => {
        this.#masked[hwirq] = 1;
      },
      maskAck: ({ hwirq }: IrqDesc) => {
        this.#masked[hwirq] = 1;
        this.#pending.keep(hwirq, this.edge);
      },
      unmask: ({ hwirq }: IrqDesc) => {
        this.#masked[hwirq] = 0;
        this.#giveBack(hwirq, this.#latch);
      },
      retrigger: ({ hwirq }: IrqDesc) => {
        this.#giveBack(hwirq, this.#pending);
        return true;
      },
      setAffinity: ({ hwirq }: IrqDesc, mask: number) => this.#send(hwirq, mask),
      setType: ({ hwirq }: IrqDesc, type: number) => {
        if ((type & IRQ_TYPE_LEVEL_MASK) === 0) return;
        throw new KernelError('EINVAL', `${this.#options.name} line ${hwirq}: the kernel reports edges, not levels`);
      },
    };
  }
}
