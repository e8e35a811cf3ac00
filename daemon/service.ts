// The service: lines held, interrupts requested, edges turned into actions; from its start to its end.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import {
  cancelDelayedWorkSync,
  type DelayedWork,
  flushWork,
  freeIrq,
  GpioDesc,
  IRQF_NO_AUTOEN,
  IRQF_ONESHOT,
  IRQF_SHARED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  irqSetAffinity,
  irqSetStormGuard,
  KernelError,
  type Level,
  type Machine,
  provideAsyncContext,
  renderTimeline,
  requestThreadedIrq,
  type StormLimits,
  schedSetscheduler,
  synchronizeIrq,
  type TraceRecord,
  taskletKill,
  type Work,
} from '../kernel/index.js';
import { exec } from './actions/exec.js';
import { http } from './actions/http.js';
import { Outputs } from './actions/outputs.js';
import { Slots } from './actions/slots.js';
import { type Backend, type BackendEvents, openBackend } from './bridge/backend.js';
import type { StartTimer } from './bridge/bursts.js';
import { Chords } from './bridge/chords.js';
import { loadHandlerModule } from './bridge/handler-module.js';
import type { InterruptHost } from './bridge/host.js';
import type { KeptLines } from './bridge/kept-lines.js';
import { LineInterrupt } from './bridge/line-interrupt.js';
import { Queues } from './bridge/queues.js';
import type { Config, InterruptSpec, LineSpec, TriggerSpec } from './config/config.js';
import type {
  ControlListener,
  DaemonStatus,
  InterruptsStatus,
  LineStatus,
  PressOptions,
  ReloadReport,
  Service,
} from './control/target.js';
import { ModelView } from './model-view.js';
import type { MqttPort } from './mqtt/port.js';
import { refusedReport } from './reload-report.js';
import { Reports } from './reports.js';
import { Triggers } from './triggers/triggers.js';
import { noSuchLine, type Viewed, viewInterrupts, viewLine, viewLines, viewRecords, viewStatus } from './views.js';

/** What {@link startService} needs. */
export interface ServiceOptions {
  readonly config: Config;
  /** Absolute path of the configuration, for `status`. */
  readonly configPath: string;
  readonly log: Logger;
  /** Has the lines of hardware outlive the process. */
  readonly kept?: KeptLines | undefined;
  /** How long a stop waits; default {@link STOP_TIMES}. */
  readonly stopTimes?: StopTimes;
  /** What a replay has in place of the world around; default: the real ones. */
  readonly world?: World;
  /** Messages to and from a broker; default: there is none. */
  readonly messages?: Messages;
}

/** The world around the service: lines, programs, and timers that are none of the model's. */
export interface World {
  readonly openBackend: typeof openBackend;
  readonly exec: typeof exec;
  readonly http: typeof http;
  /** Messages to and from a broker; default: there is none. */
  readonly messages?: Messages;
  /** Ms since 1970 by the wall clock; default: the machine's. */
  readonly wallMs?: () => number;
  readonly startTimer?: StartTimer;
  /** A number for handler modules that are loaded anew; default: each is loaded once in a process. */
  readonly instance?: number;
}

const REAL_WORLD: World = { openBackend, exec, http };

/** Programs, and requests, that run at once; more wait in line. A workqueue has its own limit besides, `max_active`. */
const PROGRAMS_MAX = 32;
const REQUESTS_MAX = 32;

/** Of MQTT, what actions and triggers need. */
export type Messages = Pick<MqttPort, 'publish' | 'onMessage'>;

const NO_MESSAGES: Messages = {
  publish: () => {
    throw new KernelError('ENOTCONN', 'no mqtt: in the configuration', { hint: 'docs/mqtt.md says what to write' });
  },
  onMessage: () => () => {},
};

/** Ms from the begin of a stop. */
export interface StopTimes {
  /** Until programs that still run are killed. */
  readonly programs: number;
  /** Until handlers and work items that still run are left. */
  readonly handlers: number;
}

/** Well within the 10 s that the unit gives. */
const STOP_TIMES: StopTimes = { programs: 2_000, handlers: 4_000 };

/** Starts the service; it is ready when this resolves. Errors as the driver's, with what to do. Nothing is held after an error. */
export async function startService(options: ServiceOptions): Promise<Service> {
  provideAsyncContext(new AsyncLocalStorage());
  const service = new RunningService(options);
  try {
    await service.start();
  } catch (error) {
    await service.stop('start failed');
    throw error;
  }
  return service;
}

/** Bounce of a simulated button settles within this; a press is over no sooner. */
const BOUNCE_SETTLE_NS = 20_000_000;

class RunningService implements Service {
  readonly closed: Promise<number>;
  readonly model: ModelView;
  readonly #config: Config;
  readonly #configPath: string;
  readonly #log: Logger;
  readonly #stopTimes: StopTimes;
  readonly #backend: Backend;
  readonly #instance: number | undefined;
  readonly #reports: Reports;
  readonly #host: InterruptHost;
  readonly #outputs: Outputs;
  readonly #messages: Messages;
  readonly #startTimer: StartTimer | undefined;
  #chords: Chords | undefined;
  #triggers: Triggers | undefined;
  readonly #startedNs: number;
  readonly #descs = new Map<string, GpioDesc>();
  readonly #queues: Queues;
  /** By line. */
  readonly #interrupts = new Map<string, LineInterrupt>();
  /** Work items of handler modules, by line. */
  readonly #moduleWorks = new Map<string, DelayedWork>();
  /** What to free, in the order of requesting. */
  readonly #requested: { readonly irq: number; readonly devId: unknown; readonly name: string }[] = [];
  /** Aborted when a stop has waited long enough for programs. */
  readonly #ending = new AbortController();
  /** A promise of a handler module's that nobody awaits must not take the daemon down with it. */
  readonly #onRejection = (error: unknown): void => this.#reports.error('a promise that nobody awaits', error);
  #close: (code: number) => void = () => {};
  #stopping: Promise<void> | undefined;
  /** Told of before there was anybody to tell it to: while the backend was opened. */
  readonly #untold: (() => void)[] = [];
  #opened = false;
  #reload: () => Promise<ReloadReport> = async () => this.reloadRefused(['nothing here reads the configuration anew']);
  #onProblem: (problem: string | undefined) => void = () => {};
  /** What a stop waits for just now. */
  #waitingFor = 'nothing';

  constructor(options: ServiceOptions) {
    const { config, configPath, log, kept, stopTimes = STOP_TIMES, world = REAL_WORLD } = options;
    this.#messages = world.messages ?? options.messages ?? NO_MESSAGES;
    this.#startTimer = world.startTimer;
    this.#config = config;
    this.#configPath = configPath;
    this.#log = log;
    this.#stopTimes = stopTimes;
    this.#instance = world.instance;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    const events: BackendEvents = {
      onLost: (offset, count) => this.#whenOpened(() => this.#reports.lost(this.#lineAt(offset), count)),
      onGone: (error) => this.#changed(() => this.#reports.chipGone(error)),
      onBack: (chip) => this.#changed(() => this.#reports.chipBack(chip)),
      onWaiting: (offset, why) => this.#changed(() => this.#reports.lineWaiting(this.#lineAt(offset), offset, why)),
      onHeld: (offset) => this.#changed(() => this.#reports.lineHeld(this.#lineAt(offset))),
      onOops: (where, error) => this.#reports.error(where, error),
      onBug: (text) => this.#reports.bug(text),
    };
    this.#backend = world.openBackend(config, log, events, kept);
    const { originNs, machine } = this.#backend;
    this.#queues = new Queues(machine);
    this.model = new ModelView(machine);
    const nowNs = (): number => machine.clock.now();
    this.#reports = new Reports(log, nowNs, (ns) => Math.round(originNs + ns), world.startTimer);
    this.#outputs = new Outputs((name) => this.#desc(name), {
      nowNs,
      onValue: (line, value, atNs) => this.#reports.value(line, value, atNs),
      onError: (line, error) => this.#reports.error(line, error),
    });
    this.#host = this.#createHost(nowNs, world);
    this.#startedNs = nowNs();
    this.#opened = true;
    for (const tell of this.#untold) tell();
  }

  #createHost(nowNs: () => number, world: World): InterruptHost {
    const reports = this.#reports;
    const programs = new Slots(PROGRAMS_MAX);
    const requests = new Slots(REQUESTS_MAX);
    const { signal } = this.#ending;
    return {
      edge: this.#backend.edge,
      originNs: this.#backend.originNs,
      ending: this.#ending.signal,
      outputs: this.#outputs,
      exec: (argv, options) => programs.run(() => world.exec(argv, options), signal),
      http: (request, options) => requests.run(() => world.http(request, options), signal),
      publish: (topic, payload, how) => this.#messages.publish(topic, payload, how),
      wallMs: world.wallMs ?? Date.now,
      nowNs,
      line: (name) => this.#desc(name),
      queue: (name) => this.#queues.get(name),
      workers: (queue) => this.#queues.workers(queue),
      onEdge: (line, record) => reports.edge(line, record),
      onValue: (line, value, atNs) => reports.value(line, value, atNs),
      onLog: (interrupt, text) => reports.said(interrupt, text),
      onError: (interrupt, error) => reports.error(interrupt, error),
      onLimited: (name, count) => reports.limited(name, count),
      onPress: (line, pattern, count, atNs) => reports.pressed(line, pattern, count, atNs),
      chord: (line, pressed, atNs) => this.#chords?.edge(line, pressed, atNs) === true,
      onDropped: (line, count) => reports.dropped(line, count),
    };
  }

  async start(): Promise<void> {
    const source = { edge: this.#backend.edge, toIrq: (offset: number) => this.#backend.toIrq(offset) };
    for (const line of this.#config.lines) {
      this.#descs.set(line.name, new GpioDesc(line.name, line.gpio, line.direction, this.#backend.request, source));
    }
    await this.#queues.add(this.#config, (queue, error) =>
      this.#reports.error(`a module of workqueue ${queue}`, error),
    );
    if (this.#config.interrupts.some(({ handler }) => handler !== undefined)) {
      process.on('unhandledRejection', this.#onRejection);
    }
    const spend = (line: string): void => this.#interrupts.get(line)?.spend();
    this.#chords = new Chords(this.#host, this.#config.chords ?? [], spend);
    for (const line of this.#config.lines) {
      if (line.edge !== 'none') await this.#requestInterrupts(line);
    }
    this.#triggers = this.#createTriggers();
    this.#backend.start();
    this.#triggers.start();
    const { driver, info } = this.#backend.chip;
    const { lines, interrupts } = this.#config;
    const held = lines.filter(({ gpio }) => this.#backend.waitingFor(gpio) === undefined).map(({ name }) => name);
    this.#log.info(
      { driver, chip: info.name, label: info.label, lines: held.length, interrupts: interrupts.length },
      held.length === 0 ? 'holding no line yet' : `holding ${held.join(', ')}`,
    );
  }

  #createTriggers(): Triggers {
    const host = {
      ...this.#host,
      call: (body: () => void) => this.#backend.machine.call(body, 'trigger'),
      onMessage: this.#messages.onMessage.bind(this.#messages),
      startTimer: this.#startTimer,
      onTrigger: (name: string, by: TriggerSpec['by']) => this.#reports.triggered(name, by),
      onWarning: (name: string, text: string) => this.#reports.warn(name, text),
    };
    return new Triggers(host, this.#config.triggers ?? []);
  }

  hooks(): readonly string[] {
    return this.#triggers?.hooks ?? [];
  }

  async hook(name: string, payload = ''): Promise<void> {
    await this.#triggers?.hook(name, payload);
  }

  /** Edges of every line are counted, so each line has an interrupt; a handler module is a second action on it. */
  async #requestInterrupts(line: LineSpec): Promise<void> {
    const { machine } = this.#backend;
    const spec = this.#config.interrupts.find((candidate) => candidate.line === line.name);
    const interrupt = new LineInterrupt(this.#host, line, spec);
    this.#interrupts.set(line.name, interrupt);
    const { name, topHalf, threadFn } = interrupt;
    const irq = this.#backend.toIrq(line.gpio);
    const flags = triggerOf(line) | flagsOf(spec);
    const { stormGuard } = line;
    if (stormGuard !== undefined) await machine.call(() => this.#guard(irq, line.name, stormGuard));
    await machine.call(() => requestThreadedIrq(irq, topHalf, threadFn, flags, name, interrupt));
    this.#requested.push({ irq, devId: interrupt, name });
    if (spec?.handler !== undefined) await this.#requestModule(line, irq, flags, spec, spec.handler);
    if (spec?.affinity !== undefined || spec?.priority !== undefined) {
      await machine.call(() => schedule(machine, irq, spec));
    }
  }

  #guard(irq: number, line: string, limits: StormLimits): void {
    irqSetStormGuard(irq, limits, {
      began: (checked) => this.#reports.stormBegins(line, checked),
      ended: (state) => this.#reports.stormEnds(line, state),
    });
  }

  async #requestModule(line: LineSpec, irq: number, flags: number, spec: InterruptSpec, path: string): Promise<void> {
    const { topHalf, threadFn, device } = await loadHandlerModule(
      path,
      {
        line: this.#desc(line.name),
        lines: Object.fromEntries(this.#descs),
        edge: this.#backend.edge,
        log: (text) => this.#reports.said(spec.name, text),
      },
      this.#instance,
    );
    this.#moduleWorks.set(line.name, device.work);
    await this.#backend.machine.call(() => requestThreadedIrq(irq, topHalf, threadFn, flags, spec.name, device));
    this.#requested.push({ irq, devId: device, name: spec.name });
  }

  get #viewed(): Viewed {
    return {
      config: this.#config,
      configPath: this.#configPath,
      backend: this.#backend,
      startedNs: this.#startedNs,
      interrupts: this.#interrupts,
      handlerErrors: this.#reports.handlerErrors,
      desc: (name) => this.#desc(name),
    };
  }

  status(): DaemonStatus {
    return viewStatus(this.#viewed);
  }

  lines(): readonly LineStatus[] {
    return viewLines(this.#viewed);
  }

  getLine(name: string): LineStatus {
    return viewLine(this.#viewed, name);
  }

  setLine(name: string, value: Level): void {
    const desc = this.#desc(name);
    if (this.#config.lines.some((line) => line.name === name && line.direction === 'in')) {
      const hint = "only outputs can be set: those with 'direction: out' in the configuration";
      throw new KernelError('EPERM', `${name} is an input`, { hint, subject: name });
    }
    desc.set(value);
    this.#outputs.forget(name);
    this.#reports.value(name, value, this.#backend.machine.clock.now());
  }

  interrupts(): InterruptsStatus {
    return viewInterrupts(this.#viewed);
  }

  async press(name: string, { forNs, bounce }: PressOptions): Promise<void> {
    const { pi } = this.#backend;
    if (pi === undefined) {
      throw new KernelError('ENOTSUP', `${name} is a real button, which only a finger can press`, {
        hint: 'press works with --driver sim',
      });
    }
    const line = this.#config.lines.find((candidate) => candidate.name === name);
    if (line === undefined) throw noSuchLine(name);
    if (line.direction === 'out') {
      throw new KernelError('EINVAL', `${name} is an output, and no button`, { subject: name });
    }
    pi.board.press(name, { holdNs: forNs, bounce });
    await this.#pass(forNs + line.debounceNs + (bounce ? BOUNCE_SETTLE_NS : 0));
    await this.#settle(line);
  }

  /** Waits by an alarm of the model's clock, which a task would do too, but would be seen in the trace. */
  #pass(ns: number): Promise<void> {
    const { clock } = this.#backend.machine;
    return new Promise((resolve) => clock.createAlarm(resolve).schedule(clock.now() + ns));
  }

  /** Waits for the handlers, threads and work items of a line. */
  async #settle(line: LineSpec): Promise<void> {
    const interrupt = this.#interrupts.get(line.name);
    if (interrupt === undefined) return;
    const irq = this.#backend.toIrq(line.gpio);
    const works = this.#worksOf(line.name, interrupt);
    await this.#backend.machine.call(function* () {
      yield* synchronizeIrq(irq);
      for (const work of works) yield* flushWork(work);
    }, 'settle');
  }

  #worksOf(line: string, interrupt: LineInterrupt): readonly Work[] {
    const module = this.#moduleWorks.get(line);
    return module === undefined ? interrupt.works : [...interrupt.works, module];
  }

  onProblem(listener: (problem: string | undefined) => void): void {
    this.#onProblem = listener;
  }

  onReload(reload: () => Promise<ReloadReport>): void {
    this.#reload = reload;
  }

  reload(): Promise<ReloadReport> {
    return this.#reload();
  }

  reloadRefused(errors: readonly string[]): ReloadReport {
    this.#reports.reloaded(false, [], errors);
    return refusedReport(errors);
  }

  async reconfigure(): Promise<ReloadReport> {
    return this.reloadRefused(['this version cannot change its configuration while it runs']);
  }

  subscribe(listener: ControlListener): () => void {
    return this.#reports.subscribe(listener);
  }

  trace(from = 0): string {
    return renderTimeline(this.#backend.machine.trace, { from });
  }

  traced(): number {
    return this.#backend.machine.trace.written;
  }

  records(from = 0): Iterable<TraceRecord> {
    return viewRecords(this.#backend, from);
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#shutDown(reason);
    return this.#stopping;
  }

  async #shutDown(reason: string): Promise<void> {
    this.#log.info({ reason }, 'stopping');
    // What comes from now on, the next process takes.
    this.#backend.pause();
    const programs = setTimeout(() => this.#ending.abort(), this.#stopTimes.programs);
    let handlers: NodeJS.Timeout | undefined;
    const tooLong = new Promise<boolean>((resolve) => {
      handlers = setTimeout(resolve, this.#stopTimes.handlers, false);
    });
    try {
      const quiet = await Promise.race([this.#freeAll().then(() => true), tooLong]);
      if (!quiet) this.#log.warn(`stopping: ${this.#waitingFor} does not end, and is left`);
    } catch (error) {
      this.#log.error({ err: error }, 'stopping: an interrupt could not be freed');
    } finally {
      clearTimeout(programs);
      clearTimeout(handlers);
      this.#reports.flush();
      process.off('unhandledRejection', this.#onRejection);
      await this.#queues.close();
      this.#backend.close();
      this.#close(0);
    }
  }

  /** Frees every interrupt, the newest first, and waits for the work items that run. */
  async #freeAll(): Promise<void> {
    const { machine } = this.#backend;
    for (let last = this.#requested.at(-1); last !== undefined; last = this.#requested.at(-1)) {
      const { irq, devId, name } = last;
      this.#waitingFor = `the interrupt ${name}`;
      await machine.call(() => freeIrq(irq, devId), 'stop');
      this.#requested.pop();
    }
    for (const [line, interrupt] of this.#interrupts) {
      this.#waitingFor = `the work of ${line}`;
      const { tasklet } = interrupt;
      if (tasklet !== undefined) await machine.call(() => taskletKill(tasklet), 'stop');
      const count = interrupt.cancel();
      if (count > 0)
        this.#log.warn({ line, count }, `${line}: work for ${count} edges had not begun and is left undone`);
      for (const work of this.#worksOf(line, interrupt)) await machine.call(() => flushWork(work), 'stop');
    }
    this.#chords?.cancel();
    const left = this.#triggers?.end() ?? 0;
    if (left > 0) this.#log.warn({ count: left }, `work for ${left} triggers had not begun and is left undone`);
    const works = [...(this.#chords?.works ?? []), ...(this.#triggers?.works ?? [])];
    for (const work of works) await machine.call(() => flushWork(work), 'stop');
    this.#outputs.end();
    // What waits for its time has not begun, and lines are held no more when it comes.
    for (const work of this.#moduleWorks.values()) await machine.call(() => cancelDelayedWorkSync(work), 'stop');
  }

  /** Which lines are held has changed. */
  #changed(tell: () => void): void {
    this.#whenOpened(tell);
    if (this.#opened) this.#onProblem(this.#backend.problem);
  }

  #whenOpened(tell: () => void): void {
    if (this.#opened) tell();
    else this.#untold.push(tell);
  }

  #lineAt(offset: number): string {
    return this.#config.lines.find(({ gpio }) => gpio === offset)?.name ?? `GPIO${offset}`;
  }

  #desc(name: string): GpioDesc {
    const desc = this.#descs.get(name);
    if (desc === undefined) throw noSuchLine(name);
    return desc;
  }
}

const FLAGS = { oneshot: IRQF_ONESHOT, no_autoen: IRQF_NO_AUTOEN } as const;

/** What an interrupt is requested with besides its trigger. */
function flagsOf(spec: InterruptSpec | undefined): number {
  const shared = spec?.handler === undefined ? 0 : IRQF_SHARED;
  return (spec?.flags ?? []).reduce((sum, flag) => sum | FLAGS[flag], shared);
}

/** Gives an interrupt its CPUs, and its threads their priority. A context of the model. */
function schedule(machine: Machine, irq: number, { affinity, priority }: InterruptSpec): void {
  if (affinity !== undefined)
    irqSetAffinity(
      irq,
      affinity.reduce((mask, cpu) => mask | (1 << cpu), 0),
    );
  if (priority === undefined) return;
  for (const { thread } of machine.irqs.get(irq).actions) {
    if (thread !== undefined) schedSetscheduler(thread, 'SCHED_FIFO', priority);
  }
}

/** Trigger of a line as the hardware sees it: the edges of an active-low line are the wire's the other way round. */
function triggerOf({ edge, activeLow }: LineSpec): number {
  if (edge === 'both') return IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
  return (edge === 'rising') !== activeLow ? IRQF_TRIGGER_RISING : IRQF_TRIGGER_FALLING;
}
