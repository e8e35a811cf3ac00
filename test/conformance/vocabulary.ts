// The vocabulary of the scenarios: the words of their programs, as methods of what each of them gets.

/**
 * The vocabulary of the scenarios: small programs that ran on a real Linux kernel, and run here on the model.
 *
 * A scenario is a file that exports a generator function. It runs in the kthread `oracle` (SCHED_FIFO 1, on CPU 0); what
 * it logs is compared with the recording of the same name. Kernel functions come from the model, under their names:
 *
 * ```ts
 * import { IRQ_HANDLED } from 'gpio-irqd';
 * import type { Oracle } from 'gpio-irqd/conformance';
 *
 * export default function* (o: Oracle) {
 *   const A = o.line('A', 'edge');                       // logs line.new, then every call of its chip
 *   const d = o.device('d', IRQ_HANDLED);                // a handler that logs `primary` and returns HANDLED
 *   yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
 *   yield* o.pulse(A);                                   // back when the interrupt, and what preempts, is done
 *   o.log('task.after');
 *   yield* o.free(A, d);
 * }
 * ```
 *
 * What lets something in is taken by `yield*` (`o.pulse`, `o.localIrqEnable`): the model's plain calls (`localIrqEnable()`,
 * `preemptEnable()`, `spinUnlock()`) take effect at the next `yield*`, which {@link Oracle.point} is for.
 */
import {
  type Coroutine,
  enableIrq,
  freeIrq,
  IRQ_HANDLED,
  type IrqHandler,
  type IrqThreadFn,
  jiffies,
  KernelError,
  localBhDisable,
  localBhEnable,
  localIrqDisable,
  localIrqEnable,
  localIrqRestore,
  type Machine,
  type MachineOptions,
  msleep,
  ndelay,
  type Process,
  preemptDisable,
  preemptEnable,
  preemptPoint,
  queueWork,
  requestThreadedIrq,
  smpProcessorId,
  type Task,
  thisCpu,
  udelay,
  type Workqueue,
} from '../../kernel/index.js';
import { Device, LoggedTasklet } from './actors.js';
import { capture, type OracleEvent, type Value, type Values } from './events.js';
import { type Flow, flowName, Line, type LineOptions } from './line.js';
import { LoggedDelayedWork, LoggedWork } from './works.js';

export { Device, LoggedTasklet } from './actors.js';
export type { OracleEvent, Value, Values } from './events.js';
export { ChipFlag, type Flow, Line, type LineOptions } from './line.js';
export { LoggedDelayedWork, LoggedWork } from './works.js';

/** A scenario's program. */
export type Program = (o: Oracle) => Coroutine<void>;

/** What a scenario's file exports. */
export interface ScenarioModule {
  readonly default: Program;
  /** What the recorded kernel's command line said, where the name of the recording does not. */
  readonly options?: MachineOptions;
}

/** Behind a tick: the CPU has taken the tick's interrupt and looked at jiffies. */
const BEHIND_TICK_NS = 20_000;
const FIFO = 50;

/** A request by {@link Oracle.request}. */
export interface Request {
  /** Default: none (NULL). */
  readonly handler?: IrqHandler | null;
  readonly thread?: IrqThreadFn | null;
  readonly flags?: number;
  readonly name?: string;
  readonly dev?: unknown;
  /** Values of the event `request` before `ret`; `false` for no event. */
  readonly log?: Values | false;
}

function isCoroutine(value: unknown): value is Coroutine {
  return typeof value === 'object' && value !== null && 'next' in value;
}

/** What a scenario gets: the log, and the words of its program. */
export class Oracle {
  readonly machine: Machine;
  readonly events: OracleEvent[] = [];
  /** What a user process has read. */
  readonly userText: string[] = [];
  /** Names of all lines so far, by interrupt number. */
  readonly lines = new Map<number, string>();
  #base = 0;
  /** By CPU: hard interrupts taken when a task there logged something last. */
  readonly #interrupts = new Map<number, number>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Logs an event, with the context of the caller. Any context. */
  log(ev: string, v?: Values): void {
    const event = capture(ev, v, this.lines);
    this.events.push(this.#interruptsNothing(event) ? { ...event, ownCount: true } : event);
  }

  /** A softirq of ksoftirqd, or of local_bh_enable(): no interrupt has come since a task logged something. */
  #interruptsNothing({ ctx, on }: OracleEvent): boolean {
    const { id, interrupts } = thisCpu();
    if (ctx === 'task') this.#interrupts.set(id, interrupts);
    return ctx === 'softirq' && (on !== 'inline' || this.#interrupts.get(id) === interrupts);
  }

  /** Logs what a user process has read, or been answered. */
  user(text: string): void {
    this.userText.push(text.trimEnd());
  }

  /** Begins a part of the scenario. */
  variant(v: string, more: Values = {}): void {
    this.log('variant', { v, ...more });
  }

  /** A fresh interrupt line on a chip of its own, masked. */
  line(name: string, flow: Flow, options: LineOptions = {}): Line {
    const line = new Line(this.machine, name, flow, options, (ev, v) => this.log(ev, v));
    this.lines.set(line.irq, name);
    this.log('line.new', { line: name, flow: flowName(flow), chipflags: options.chipflags ?? 0 });
    return line;
  }

  device(name: string, returns: number = IRQ_HANDLED): Device {
    return new Device(this, name, returns);
  }

  /** request_threaded_irq(), then 1 ms of sleep for the thread to become SCHED_FIFO; 0 or the negative errno. */
  *request(line: Line, request: Request): Coroutine<number> {
    const { handler = null, thread = null, flags = 0, name = line.name, dev, log = {} } = request;
    const ret = yield* errnoOf(requestThreadedIrq(line.irq, handler, thread, flags, name, dev));
    if (log !== false) this.log('request', { ...log, ret });
    yield* msleep(1);
    return ret;
  }

  /** free_irq(); logs the name that it returns. */
  *free(line: Line, dev?: unknown): Coroutine<void> {
    const name = yield* freeIrq(line.irq, dev);
    this.log('free_irq', { line: line.name, name: name ?? '(null)' });
  }

  /** Logs depth and state bits of a line; `at` says when. */
  state(at: string, line: Line): void {
    const { depth, disabled, masked, started } = this.machine.irqs.get(line.irq);
    const bit = (value: boolean): number => (value ? 1 : 0);
    this.log('state', {
      at,
      line: line.name,
      depth,
      disabled: bit(disabled),
      masked: bit(masked),
      started: bit(started),
    });
  }

  /** An edge arrives on this CPU. With interrupts off it stays pending, one deep. */
  *pulse(line: Line): Coroutine<void> {
    yield* this.#selfInterrupt(() => line.raise());
  }

  /** A level line becomes active. */
  *assert(line: Line): Coroutine<void> {
    line.setLevel(true);
    yield* this.#selfInterrupt(() => line.raise());
  }

  /** A level line becomes inactive. Any context. */
  deassert(line: Line): void {
    line.setLevel(false);
  }

  /** Runs `fn` in a hard interrupt on this CPU now. */
  *hard(fn: () => unknown): Coroutine<void> {
    yield* this.#selfInterrupt(() => this.#callFunction(smpProcessorId(), fn));
  }

  /** Runs `fn` in a hard interrupt on another CPU, and waits for it, busy (smp_call_function_single). */
  *callOn(cpuId: number, fn: () => void): Coroutine<void> {
    let done = false;
    this.#callFunction(cpuId, () => {
      fn();
      done = true;
    });
    yield* this.spinUntil(() => done);
  }

  /** Busy until a condition holds, which is looked at every microsecond. Any context. */
  *spinUntil(condition: () => boolean): Coroutine<void> {
    while (!condition()) yield* udelay(1);
  }

  #callFunction(cpuId: number, fn: () => unknown): void {
    const cpu = this.machine.cpus[cpuId];
    if (cpu === undefined) throw new KernelError('EINVAL', `the machine has no CPU ${cpuId}`);
    cpu.callFunction(() => {
      const result = fn();
      if (!isCoroutine(result)) return 0;
      return cpu.suspend(result, (error, thrown) => {
        if (thrown) throw error;
        return 0;
      });
    });
  }

  /** As irq_work_queue() does it: with preemption off around the interrupt to itself. */
  *#selfInterrupt(raise: () => void): Coroutine<void> {
    preemptDisable();
    raise();
    yield* preemptPoint();
    preemptEnable();
    yield* preemptPoint();
  }

  /** msleep(). */
  *sleep(ms: number): Coroutine<void> {
    yield* msleep(ms);
  }

  /** Lets in what a plain call has let loose: interrupts, softirqs, tasks. */
  *point(): Coroutine<void> {
    yield* preemptPoint();
  }

  *preemptEnable(): Coroutine<void> {
    preemptEnable();
    yield* preemptPoint();
  }

  *localIrqEnable(): Coroutine<void> {
    localIrqEnable();
    yield* preemptPoint();
  }

  *localIrqRestore(flags: boolean): Coroutine<void> {
    localIrqRestore(flags);
    yield* preemptPoint();
  }

  *localBhEnable(): Coroutine<void> {
    localBhEnable();
    yield* preemptPoint();
  }

  *enableIrq(line: Line): Coroutine<void> {
    enableIrq(line.irq);
    yield* preemptPoint();
  }

  /** `fn` with bottom halves off. */
  *withBhOff(fn: () => void): Coroutine<void> {
    localBhDisable();
    fn();
    yield* this.localBhEnable();
  }

  /** Busy until the next jiffy, which {@link j} counts from (tick-align, base). */
  *base(): Coroutine<void> {
    const { clock, bootNs, tickNs } = this.machine;
    const passed = (clock.now() - bootNs) % tickNs;
    yield* ndelay(tickNs - passed + BEHIND_TICK_NS);
    this.#base = jiffies();
  }

  /** Jiffies at the last {@link base}. */
  get j0(): number {
    return this.#base;
  }

  /** Jiffies since the last {@link base}. */
  j(): number {
    return (jiffies() - this.#base) >>> 0;
  }

  /** Busy until so many jiffies after the last {@link base}. */
  *busyUntil(j: number): Coroutine<void> {
    while (this.j() < j) {
      const { clock, bootNs, tickNs } = this.machine;
      yield* ndelay(tickNs - ((clock.now() - bootNs) % tickNs) + BEHIND_TICK_NS);
    }
  }

  /** Busy with interrupts off until `ns` of the machine's clock. */
  *irqsOffUntil(ns: number, log: string): Coroutine<void> {
    localIrqDisable();
    yield* ndelay(Math.max(0, ns - this.machine.clock.now()));
    this.log(log);
    yield* this.localIrqEnable();
  }

  /** Starts a kthread bound to a CPU, SCHED_FIFO 50 unless `fifo` says otherwise; 0 is SCHED_NORMAL. */
  *thread(comm: string, body: () => Process<unknown>, options: { fifo?: number; cpu?: number } = {}): Coroutine<Task> {
    const { fifo = FIFO, cpu = 0 } = options;
    const task = this.machine.spawn(comm, body, { rtPriority: fifo, cpusAllowed: 1 << cpu });
    yield* preemptPoint();
    return task;
  }

  /** A tasklet that logs `tasklet`, with its name and the number of the run. */
  tasklet(t: Value): LoggedTasklet {
    return new LoggedTasklet(this, t);
  }

  work(w: string): LoggedWork {
    return new LoggedWork(this, w);
  }

  delayedWork(w: string): LoggedDelayedWork {
    return new LoggedDelayedWork(this, w);
  }

  /** queue_work(), logged with its return value. */
  queueWork(wq: Workqueue, work: LoggedWork): boolean {
    const queued = queueWork(wq, work);
    this.log('queue_work', { w: work.w, ret: queued ? 1 : 0 });
    return queued;
  }
}

/** 0, or the negative errno of the KernelError that an effect throws. */
export function* errnoOf(effect: Coroutine<unknown>): Coroutine<number> {
  try {
    yield* effect;
    return 0;
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
}
