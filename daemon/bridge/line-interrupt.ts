// One line's interrupt in the daemon: what its top half, its thread and its work items do with an edge.
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  type IrqReturn,
  type Level,
  preemptPoint,
  type Tasklet,
  type Work,
} from '../../kernel/index.js';
import { EdgeOccasion, type OccasionLine } from '../actions/occasion.js';
import type { InterruptSpec, LineSpec } from '../config/config.js';
import {
  type ActionContext,
  type LimitedAtomic,
  type PreparedAction,
  prepareActions,
  prepareLimited,
  prepareThread,
} from './actions.js';
import { type EdgeRecord, EdgeRing } from './edge-ring.js';
import { EdgeTasklet } from './edge-tasklet.js';
import { EdgeWork } from './edge-work.js';
import type { InterruptHost } from './host.js';
import { LinePresses } from './presses.js';

export type { InterruptHost } from './host.js';

/** Earlier than any stamp. */
export const NO_STAMP = Number.NEGATIVE_INFINITY;

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
  /** Stamp of the newest edge, which is below 0 when it came before this process did; {@link NO_STAMP} before the first. */
  lastStampNs = NO_STAMP;
  readonly #host: InterruptHost;
  readonly #edges = new EdgeRing();
  /** Lines of the top half's actions, and the actions. */
  readonly #outputs: readonly string[];
  readonly #atomic: readonly LimitedAtomic[];
  readonly #thread: readonly PreparedAction[];
  readonly #works: readonly EdgeWork[];
  readonly #tasklet: EdgeTasklet | undefined;
  readonly #presses: LinePresses | undefined;
  readonly #of: OccasionLine;
  /** Actions of the top half that were left out, which the thread tells. */
  #limited = 0;
  #droppedTold = 0;
  #droppedBefore = 0;

  /** `ENOENT` when the interrupt names a line or a queue that there is not. */
  constructor(host: InterruptHost, line: LineSpec, spec: InterruptSpec | undefined) {
    this.#host = host;
    this.line = line;
    this.name = spec === undefined ? line.name : spec.handler === undefined ? spec.name : OWN_NAME;
    const { topHalf = [], thread = [], work = [], tasklet = [], patterns = [] } = spec ?? {};
    this.#of = { line: line.name, gpio: line.gpio, name: spec?.name ?? line.name };
    const context: ActionContext = { host, name: this.name, of: this.#of };
    this.#outputs = topHalf.map((action) => action.line);
    this.#atomic = topHalf.map((action) => prepareLimited(host, action));
    this.#thread = thread.map((action) => prepareThread(context, action));
    this.#works = work.map(({ queue, actions }) => {
      const { waits, perform } = prepareActions(context, queue, actions);
      return new EdgeWork(`${this.name}.work`, host.queue(queue), waits, (record) => perform(this.#occasion(record)));
    });
    this.#tasklet = tasklet.length === 0 ? undefined : new EdgeTasklet(host, this.#of, tasklet);
    const hasEdges = (): boolean => this.#edges.length > 0;
    this.#presses =
      patterns.length === 0 ? undefined : new LinePresses(host, host.line(line.name), this.#of, patterns, hasEdges);
  }

  /** Edges whose top half ran, and for whose tasklet, thread or work there was no room. */
  get dropped(): number {
    const before = this.#droppedBefore + this.#edges.dropped + (this.#tasklet?.dropped ?? 0);
    return this.#works.reduce((sum, work) => sum + work.dropped, before);
  }

  /** Counts on from where another one of the same line has got to. Nothing comes to either of them meanwhile. */
  countOn({ rising, falling, lineSeqno, lastStampNs, dropped }: LineInterrupt): void {
    this.rising = rising;
    this.falling = falling;
    this.lineSeqno = lineSeqno;
    this.lastStampNs = lastStampNs;
    this.#droppedBefore = dropped;
    this.#droppedTold = dropped;
  }

  /** Once it was freed: looks for no more presses; the work that there is goes on. */
  retire(): void {
    this.#presses?.end();
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return [...this.#works.map(({ work }) => work), ...(this.#presses?.works ?? [])];
  }

  /** Forgets the edges and presses that no work item has begun with, and looks for no more. @returns how many. */
  cancel(): number {
    this.#tasklet?.cancel();
    return this.#works.reduce((sum, work) => sum + work.cancel(), this.#presses?.cancel() ?? 0);
  }

  /** Scheduled by the top half: to be killed once the interrupt was freed. Undefined when there is none. */
  get tasklet(): Tasklet | undefined {
    return this.#tasklet?.tasklet;
  }

  /** The press that is under way is part of a chord. */
  spend(): void {
    this.#presses?.spend();
  }

  /** Top half. Hot path: nothing is allocated. */
  readonly topHalf = (): IrqReturn => {
    const { stampNs, rising, lineSeqno } = this.#host.edge;
    if (rising) this.rising++;
    else this.falling++;
    const sinceLastNs = this.lastStampNs === NO_STAMP ? -1 : stampNs - this.lastStampNs;
    this.lastStampNs = stampNs;
    this.lineSeqno = lineSeqno;
    let levels = 0;
    let failed = 0;
    let bit = 0;
    const level = rising ? 1 : 0;
    for (const perform of this.#atomic) {
      try {
        const got = perform(level);
        if (got === undefined) {
          failed |= 1 << bit;
          this.#limited++;
        } else levels |= got << bit;
      } catch (error) {
        // The output's chip may be away: this edge still has its thread and its work.
        failed |= 1 << bit;
        this.#host.onError(this.name, error);
      }
      bit++;
    }
    const doneNs = bit === 0 ? stampNs : this.#host.nowNs();
    this.#edges.push(stampNs, rising, lineSeqno, sinceLastNs, doneNs, levels, failed);
    if (this.#tasklet !== undefined) this.#tasklet.push(stampNs, rising, lineSeqno, sinceLastNs);
    return IRQ_WAKE_THREAD;
  };

  /** Thread function: every edge since it ran last, in order. Other tasks, and I/O, get their turn after each. */
  readonly threadFn = (): Generator<number, IrqReturn> => this.#followUpAll();

  *#followUpAll(): Generator<number, IrqReturn> {
    for (let record = this.#edges.take(); record !== undefined; record = this.#edges.take()) {
      this.#followUp(record);
      yield* preemptPoint();
    }
    this.#presses?.settle();
    const { dropped } = this;
    if (dropped > this.#droppedTold) this.#host.onDropped(this.line.name, dropped - this.#droppedTold);
    this.#droppedTold = dropped;
    if (this.#limited > 0) this.#host.onLimited(this.name, this.#limited);
    this.#limited = 0;
    return IRQ_HANDLED;
  }

  #followUp(record: EdgeRecord): void {
    this.#host.onEdge(this.line.name, record);
    this.#outputs.forEach((line, bit) => {
      if (((record.failed >>> bit) & 1) === 1) return;
      this.#host.onValue(line, ((record.levels >>> bit) & 1) as Level, record.doneNs);
    });
    const spent = this.#host.chord(this.line.name, record.rising, record.stampNs);
    this.#presses?.edge(record.rising, record.stampNs, spent);
    if (this.#thread.length > 0) this.#perform(this.#occasion(record));
    for (const work of this.#works) work.add(record);
  }

  #occasion(record: EdgeRecord): EdgeOccasion {
    return new EdgeOccasion(this.#host, this.#of, record);
  }

  /** An action that fails is reported, and holds up neither those after it nor the next edge. */
  #perform(occasion: EdgeOccasion): void {
    for (const perform of this.#thread) {
      try {
        perform(occasion);
      } catch (error) {
        this.#host.onError(this.name, error);
      }
    }
  }
}
