// One line's interrupt in the daemon: what its top half, its thread and its work items do with an edge.
import {
  type EdgeInfo,
  type GpioDesc,
  gpiodGetValue,
  gpiodSetValue,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  type IrqReturn,
  KernelError,
  type Level,
  queueWork,
  Work,
  type Workqueue,
} from '../../kernel/index.js';
import { exec } from '../actions/exec.js';
import type { AtomicAction, InterruptSpec, LineSpec, ThreadAction, WorkAction, WorkSpec } from '../config/config.js';
import { formatDuration } from '../config/duration.js';
import { type Placeholder, renderTemplate } from '../config/template.js';
import { type EdgeRecord, EdgeRing } from './edge-ring.js';

/** What the interrupts of all lines share. */
export interface InterruptHost {
  /** The edge that is being handled. */
  readonly edge: EdgeInfo;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  line(name: string): GpioDesc;
  queue(name: string): Workqueue;
  onEdge(line: string, record: EdgeRecord): void;
  onValue(line: string, value: Level): void;
  onLog(interrupt: string, text: string): void;
  onError(interrupt: string, error: unknown): void;
}

/** A work item of the configuration, with the edges that it has still to deal with. */
class EdgeWork extends Work {
  readonly edges = new EdgeRing();

  constructor(name: string, perform: (record: EdgeRecord) => Promise<void>) {
    super(async () => {
      for (let record = this.edges.take(); record !== undefined; record = this.edges.take()) await perform(record);
    }, name);
  }
}

/** Lines with edges have one of these, also without an interrupt in the configuration: it counts. */
export class LineInterrupt {
  readonly spec: InterruptSpec | undefined;
  readonly line: LineSpec;
  readonly name: string;
  rising = 0;
  falling = 0;
  lineSeqno = 0;
  lastStampNs = -1;
  readonly #host: InterruptHost;
  readonly #desc: GpioDesc;
  readonly #edges = new EdgeRing();
  readonly #atomic: readonly (() => void)[];
  readonly #works: readonly { readonly spec: WorkSpec; readonly item: EdgeWork; readonly queue: Workqueue }[];
  #droppedSeen = 0;

  constructor(host: InterruptHost, line: LineSpec, spec: InterruptSpec | undefined) {
    this.#host = host;
    this.line = line;
    this.spec = spec;
    this.name = spec?.name ?? line.name;
    this.#desc = host.line(line.name);
    this.#atomic = (spec?.topHalf ?? []).map((action) => this.#prepare(action));
    this.#works = (spec?.work ?? []).map((work) => ({
      spec: work,
      item: new EdgeWork(`${this.name}.work`, (record) => this.#performWork(work, record)),
      queue: host.queue(work.queue),
    }));
  }

  /** Edges whose top half ran and for whose thread or work there was no room. */
  get dropped(): number {
    return this.#works.reduce((sum, { item }) => sum + item.edges.dropped, this.#edges.dropped);
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return this.#works.map(({ item }) => item);
  }

  /** Top half. Hot path: nothing is allocated. */
  readonly topHalf = (): IrqReturn => {
    const { stampNs, rising, lineSeqno } = this.#host.edge;
    if (rising) this.rising++;
    else this.falling++;
    this.#edges.push(stampNs, rising, lineSeqno, this.lastStampNs < 0 ? -1 : stampNs - this.lastStampNs);
    this.lastStampNs = stampNs;
    this.lineSeqno = lineSeqno;
    for (const perform of this.#atomic) perform();
    return IRQ_WAKE_THREAD;
  };

  /** Thread function: every edge since it ran last, in order. */
  readonly threadFn = (): IrqReturn => {
    const dropped = this.dropped;
    if (dropped > this.#droppedSeen) {
      const message = `${dropped - this.#droppedSeen} edges of ${this.line.name} came faster than its thread and work could follow`;
      this.#droppedSeen = dropped;
      this.#host.onError(this.name, new KernelError('ENOSPC', message));
    }
    for (let record = this.#edges.take(); record !== undefined; record = this.#edges.take()) this.#followUp(record);
    return IRQ_HANDLED;
  };

  #followUp(record: EdgeRecord): void {
    this.#host.onEdge(this.line.name, record);
    for (const action of this.spec?.topHalf ?? [])
      this.#host.onValue(action.line, gpiodGetValue(this.#host.line(action.line)));
    for (const action of this.spec?.thread ?? []) this.#perform(action, record);
    for (const { item, queue } of this.#works) {
      item.edges.push(record.stampNs, record.rising, record.lineSeqno, record.sinceLastNs);
      queueWork(queue, item);
    }
  }

  #prepare(action: AtomicAction): () => void {
    const desc = this.#host.line(action.line);
    if (action.kind === 'toggle') return () => gpiodSetValue(desc, gpiodGetValue(desc) === 1 ? 0 : 1);
    const { value } = action;
    return () => gpiodSetValue(desc, value);
  }

  #perform(action: ThreadAction, record: EdgeRecord): void {
    if (action.kind === 'log') {
      this.#host.onLog(this.name, renderTemplate(action.text, this.#values(record)));
      return;
    }
    this.#prepare(action)();
    this.#host.onValue(action.line, gpiodGetValue(this.#host.line(action.line)));
  }

  async #performWork(work: WorkSpec, record: EdgeRecord): Promise<void> {
    for (const action of work.actions) {
      try {
        await this.#performAction(action, record);
      } catch (error) {
        this.#host.onError(this.name, error);
      }
    }
  }

  async #performAction(action: WorkAction, record: EdgeRecord): Promise<void> {
    if (action.kind !== 'exec') {
      this.#perform(action, record);
      return;
    }
    const values = this.#values(record);
    const argv = action.argv.map((word) => renderTemplate(word, values));
    const env = { GPIO_LINE: this.line.name, GPIO_EDGE: String(values.edge), GPIO_TIMESTAMP: String(values.timestamp) };
    const { stdout } = await exec(argv, action.timeoutNs, env);
    if (stdout.trim() !== '') this.#host.onLog(this.name, stdout.trimEnd());
  }

  #values(record: EdgeRecord): Record<Placeholder, string | number> {
    return {
      line: this.line.name,
      gpio: this.#desc.offset,
      name: this.name,
      edge: record.rising ? 'rising' : 'falling',
      value: record.rising ? 1 : 0,
      timestamp: Math.round(this.#host.originNs + record.stampNs),
      since_last: record.sinceLastNs < 0 ? '-' : formatDuration(roundForPeople(record.sinceLastNs)),
      seqno: record.lineSeqno,
    };
  }
}

/** Three digits are enough to read: whole ms from 1 s, whole µs from 1 ms. */
function roundForPeople(ns: number): number {
  const step = ns >= 1e9 ? 1e6 : ns >= 1e6 ? 1e3 : 1;
  return Math.round(ns / step) * step;
}
