// One line's interrupt in the daemon: what its top half, its thread and its work items do with an edge.
import {
  type EdgeInfo,
  type GpioDesc,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  type IrqReturn,
  type Level,
  preemptPoint,
  type Work,
  type Workqueue,
} from '../../kernel/index.js';
import type { exec } from '../actions/exec.js';
import type { ModuleWorkers } from '../actions/module-workers.js';
import type { InterruptSpec, LineSpec, WorkSpec } from '../config/config.js';
import {
  type ActionContext,
  type PreparedAction,
  type PreparedAtomic,
  prepareAtomic,
  prepareThread,
  prepareWork,
} from './actions.js';
import { type EdgeRecord, EdgeRing } from './edge-ring.js';
import { EdgeWork } from './edge-work.js';

/** What the interrupts of all lines share. Times are ns of the machine's clock. */
export interface InterruptHost {
  /** The edge that is being handled. */
  readonly edge: EdgeInfo;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  /** Aborted when programs that still run are to be ended. */
  readonly ending: AbortSignal;
  /** Runs a program. */
  readonly exec: typeof exec;
  nowNs(): number;
  line(name: string): GpioDesc;
  queue(name: string): Workqueue;
  /** The worker threads of a `cpu_intensive` queue; `ENOENT` for another. */
  workers(queue: string): ModuleWorkers;
  onEdge(line: string, record: EdgeRecord): void;
  onValue(line: string, value: Level, atNs: number): void;
  onLog(interrupt: string, text: string): void;
  onError(interrupt: string, error: unknown): void;
  /** Edges whose top half ran, and for whose thread or work there was no room. */
  onDropped(line: string, count: number): void;
}

/** What the daemon's own action is called where a handler module has the interrupt's name. */
const OWN_NAME = 'gpio-irqd';

/** Lines with edges have one of these, also without an interrupt in the configuration: it counts. */
export class LineInterrupt {
  readonly line: LineSpec;
  /** Name of its action. */
  readonly name: string;
  rising = 0;
  falling = 0;
  lineSeqno = 0;
  /** Stamp of the newest edge; -1 before the first. */
  lastStampNs = -1;
  readonly #host: InterruptHost;
  readonly #edges = new EdgeRing();
  /** Lines of the top half's actions, and the actions. */
  readonly #outputs: readonly string[];
  readonly #atomic: readonly PreparedAtomic[];
  readonly #thread: readonly PreparedAction[];
  readonly #works: readonly EdgeWork[];
  #droppedTold = 0;

  /** `ENOENT` when the interrupt names a line or a queue that there is not. */
  constructor(host: InterruptHost, line: LineSpec, spec: InterruptSpec | undefined) {
    this.#host = host;
    this.line = line;
    this.name = spec === undefined ? line.name : spec.handler === undefined ? spec.name : OWN_NAME;
    const context: ActionContext = { host, line: host.line(line.name), name: this.name };
    const topHalf = spec?.topHalf ?? [];
    this.#outputs = topHalf.map((action) => action.line);
    this.#atomic = topHalf.map((action) => prepareAtomic(host, action));
    this.#thread = (spec?.thread ?? []).map((action) => prepareThread(context, action));
    this.#works = (spec?.work ?? []).map((work) => this.#prepareWork(context, work));
  }

  /** Edges whose top half ran, and for whose thread or work there was no room. */
  get dropped(): number {
    return this.#works.reduce((sum, work) => sum + work.dropped, this.#edges.dropped);
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return this.#works.map(({ work }) => work);
  }

  /** Forgets the edges that no work item has begun with. @returns how many. */
  cancel(): number {
    return this.#works.reduce((sum, work) => sum + work.cancel(), 0);
  }

  /** Top half. Hot path: nothing is allocated. */
  readonly topHalf = (): IrqReturn => {
    const { stampNs, rising, lineSeqno } = this.#host.edge;
    if (rising) this.rising++;
    else this.falling++;
    const sinceLastNs = this.lastStampNs < 0 ? -1 : stampNs - this.lastStampNs;
    this.lastStampNs = stampNs;
    this.lineSeqno = lineSeqno;
    let levels = 0;
    let bit = 0;
    for (const perform of this.#atomic) levels |= perform() << bit++;
    this.#edges.push(stampNs, rising, lineSeqno, sinceLastNs, bit === 0 ? stampNs : this.#host.nowNs(), levels);
    return IRQ_WAKE_THREAD;
  };

  /** Thread function: every edge since it ran last, in order. Other tasks, and I/O, get their turn after each. */
  readonly threadFn = (): Generator<number, IrqReturn> => this.#followUpAll();

  *#followUpAll(): Generator<number, IrqReturn> {
    for (let record = this.#edges.take(); record !== undefined; record = this.#edges.take()) {
      this.#followUp(record);
      yield* preemptPoint();
    }
    const { dropped } = this;
    if (dropped > this.#droppedTold) this.#host.onDropped(this.line.name, dropped - this.#droppedTold);
    this.#droppedTold = dropped;
    return IRQ_HANDLED;
  }

  #followUp(record: EdgeRecord): void {
    this.#host.onEdge(this.line.name, record);
    this.#outputs.forEach((line, bit) => {
      this.#host.onValue(line, ((record.levels >>> bit) & 1) as Level, record.doneNs);
    });
    for (const perform of this.#thread) this.#attempt(() => perform(record));
    for (const work of this.#works) work.add(record);
  }

  /** An action that fails is reported, and holds up neither those after it nor the next edge. */
  #attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#host.onError(this.name, error);
      return undefined;
    }
  }

  #prepareWork(context: ActionContext, { queue, actions }: WorkSpec): EdgeWork {
    const prepared = actions.map((action) => prepareWork({ ...context, queue }, action));
    const waits = actions.some((action) => action.kind === 'exec' || action.kind === 'module');
    const performAtOnce = (record: EdgeRecord): undefined => {
      for (const perform of prepared) this.#attempt(() => perform(record));
    };
    const performWaiting = async (record: EdgeRecord): Promise<void> => {
      for (const perform of prepared) {
        try {
          await perform(record);
        } catch (error) {
          this.#host.onError(this.name, error);
        }
      }
    };
    const perform = waits ? performWaiting : performAtOnce;
    return new EdgeWork(`${this.name}.work`, this.#host.queue(queue), waits, perform);
  }
}
