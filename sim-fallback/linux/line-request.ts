// Lines held on the simulated chip: values, reconfiguration, edges, and what takes a task of the model to bring about.

import { checkLines, linesInOrder, sameLineConfig } from '../../kernel/gpio/line-config.js';
import {
  type Bias,
  type Coroutine,
  type EdgeSink,
  type GoneListener,
  KernelError,
  type Level,
  type LineConfig,
  type LineRequest,
  type LineRequestOptions,
  runningCpu,
} from '../../kernel/index.js';
import { EdgeEvents } from './edge-events.js';
import type { SimGpioLines } from './gpio-lines.js';
import { LineEdges, triggerOf } from './line-edges.js';
import { GoneNotice } from './notices.js';

/** Above everything else that runs, so that a request is in effect before anything can depend on it. */
const SETUP_PRIORITY = 99;
/** All set-up runs on the CPU that takes the chip's interrupts, one after the other. */
const SETUP_CPUS = 1 << 0;

/** One line of a request. */
interface HeldLine {
  config: LineConfig;
  /** Logical level that it was last given as an output. */
  level: Level;
  readonly edges: LineEdges;
}

/** A pull that is to be set. */
interface Pull {
  readonly offset: number;
  readonly bias: Exclude<Bias, 'as-is'>;
}

/** Throws `EPERM` when `lines` need a task to take effect and the caller keeps the CPU from running it. */
export function checkCaller(operation: string, lines: readonly LineConfig[]): void {
  if (runningCpu() === undefined) return;
  if (lines.every((line) => triggerOf(line) === 0 && (line.bias ?? 'as-is') === 'as-is')) return;
  throw new KernelError('EPERM', `sim: ${operation} with edges or bias was called by code that runs in the model`, {
    hint: 'call it from outside of handlers and tasks; inside, request the interrupt itself (requestThreadedIrq)',
  });
}

/** struct gpio_v2_line_request, as {@link LineRequest}. Made by `SimGpioChip.requestLines`, for lines that were checked. */
export class SimLineRequest implements LineRequest {
  readonly offsets: readonly number[];
  readonly #lines: SimGpioLines;
  readonly #byOffset = new Map<number, HeldLine>();
  readonly #events: EdgeEvents;
  readonly #onRelease: (request: SimLineRequest) => void;
  readonly #gone: GoneNotice;
  readonly #unplugged = (error: KernelError): void => this.#chipGone(error);
  #released = false;

  constructor(
    lines: SimGpioLines,
    options: LineRequestOptions,
    entries: number,
    onRelease: (request: SimLineRequest) => void,
  ) {
    const { machine, pinctrl, originNs } = lines;
    const label = options.consumer === '' ? '?' : options.consumer;
    const configs = options.lines.map((config) => ({ ...config }));
    this.#lines = lines;
    this.#onRelease = onRelease;
    this.#gone = new GoneNotice(lines.notices);
    this.#events = new EdgeEvents({ machine, pinctrl, originNs, label, lines: configs.length, entries });
    this.offsets = configs.map((config) => config.offset);
    for (const config of configs) {
      const edges = new LineEdges(this.#events, config.offset);
      this.#byOffset.set(config.offset, { config, level: lines.initialLevel(config), edges });
    }
    lines.onUnplug.add(this.#unplugged);
    lines.hold(configs, options.consumer);
    this.#takeEffect(configs.flatMap(pullOf));
  }

  get eventBufferSize(): number {
    return this.#events.entries;
  }

  getValue(offset: number): Level {
    this.#alive('getValue');
    return this.#lines.getLevel(this.#line(offset).config);
  }

  getValues(): Level[] {
    this.#alive('getValues');
    return this.offsets.map((offset) => this.#lines.getLevel(this.#line(offset).config));
  }

  setValue(offset: number, value: Level): void {
    this.#alive('setValue');
    this.#set(this.#output(offset), value);
  }

  /** One line after the other, as the kernel does for this chip. */
  setValues(values: ReadonlyMap<number, Level>): void {
    this.#alive('setValues');
    for (const offset of values.keys()) this.#output(offset);
    for (const [offset, value] of values) this.#set(this.#output(offset), value);
  }

  /**
   * A line that stays an output keeps its physical level; `initial` counts for lines that become outputs. Lines that stay as
   * they are are not touched.
   */
  reconfigure(lines: readonly LineConfig[]): void {
    this.#alive('reconfigure');
    checkLines(lines, this.#lines.info.lines);
    const ordered = linesInOrder(this.offsets, lines);
    checkCaller('reconfigure', ordered);
    for (const config of ordered) this.#lines.checkIrq(config);
    const pulls: Pull[] = [];
    for (const config of ordered) {
      const line = this.#line(config.offset);
      if (sameLineConfig(line.config, config)) continue;
      if (config.bias !== line.config.bias) pulls.push(...pullOf(config));
      line.level = this.#levelAfter(line, config);
      line.config = config;
      this.#lines.change(config, line.level);
    }
    this.#takeEffect(pulls);
  }

  onEdges(sink: EdgeSink): void {
    this.#alive('onEdges');
    if (this.#events.hasSink) {
      throw new KernelError('EBUSY', 'onEdges: the request has a sink', {
        hint: 'one sink takes all edges of a request; share them out from there',
      });
    }
    this.#events.start(sink);
  }

  onGone(listener: GoneListener): void {
    this.#held('onGone');
    this.#gone.add(listener);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#events.close();
    this.#lines.onUnplug.delete(this.#unplugged);
    for (const offset of this.offsets) this.#lines.free(offset);
    this.#freeIrqs();
    this.#onRelease(this);
  }

  #chipGone(error: KernelError): void {
    this.#events.close();
    this.#freeIrqs();
    this.#gone.tell(error);
  }

  #set(line: HeldLine, value: Level): void {
    line.level = value;
    this.#lines.setLevel(line.config, value);
  }

  /** Sets pulls, then requests and frees interrupts. Done when it returns, unless there are pulls, at 2 µs each. */
  #takeEffect(pulls: readonly Pull[]): void {
    let changed = pulls.length > 0;
    for (const { config, edges } of this.#byOffset.values()) if (edges.want(config)) changed = true;
    if (changed) this.#spawn(pulls);
  }

  #freeIrqs(): void {
    let changed = false;
    for (const { config, edges } of this.#byOffset.values()) {
      if (edges.want({ ...config, edge: 'none' })) changed = true;
    }
    if (changed) this.#spawn([]);
  }

  #spawn(pulls: readonly Pull[]): void {
    const options = { rtPriority: SETUP_PRIORITY, cpusAllowed: SETUP_CPUS };
    this.#lines.machine.spawn('gpio-setup', () => this.#setUp(pulls), options);
  }

  *#setUp(pulls: readonly Pull[]): Coroutine<void> {
    for (const { offset, bias } of pulls) {
      const wanted = !this.#released && this.#line(offset).config.bias === bias;
      if (wanted) yield* this.#lines.pinctrl.setPull(offset, bias);
    }
    for (const { edges } of this.#byOffset.values()) yield* edges.converge();
  }

  #line(offset: number): HeldLine {
    const line = this.#byOffset.get(offset);
    if (line !== undefined) return line;
    throw new KernelError('EINVAL', `line ${offset} is not part of this request`, {
      hint: `it has lines ${this.offsets.join(', ')}`,
    });
  }

  #output(offset: number): HeldLine {
    const line = this.#line(offset);
    if (line.config.direction === 'out') return line;
    throw new KernelError('EPERM', `line ${offset} is an input`, {
      hint: "request or reconfigure it with direction 'out'",
    });
  }

  #levelAfter({ config, level }: HeldLine, next: LineConfig): Level {
    if (next.direction === 'in' || config.direction === 'in') return this.#lines.initialLevel(next);
    const turned = (next.activeLow ?? false) !== (config.activeLow ?? false);
    return (level === 1) !== turned ? 1 : 0;
  }

  #held(operation: string): void {
    if (!this.#released) return;
    throw new KernelError('EBADF', `${operation}: EBADF: Bad file descriptor`, {
      hint: 'the lines were released before; request them again',
    });
  }

  #alive(operation: string): void {
    this.#held(operation);
    this.#lines.checkPlugged(operation);
  }
}

function pullOf({ offset, bias = 'as-is' }: LineConfig): Pull[] {
  return bias === 'as-is' ? [] : [{ offset, bias }];
}
