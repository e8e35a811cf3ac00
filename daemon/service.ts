// The service: lines held, interrupts requested, edges turned into actions; from its start to its end.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { KernelError, type Level, provideAsyncContext, renderTimeline, type TraceRecord } from '../kernel/index.js';
import type { Backend, BackendEvents } from './bridge/backend.js';
import { MAIN_CHIP } from './bridge/held-chip.js';
import type { KeptLines } from './bridge/kept-lines.js';
import type { Config, LineSpec } from './config/config.js';
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
import { Parts } from './parts.js';
import { reconfigure } from './reconfigure.js';
import { refusedReport, STOPPING } from './reload-report.js';
import { Reports } from './reports.js';
import { noSuchLine, type Viewed, viewInterrupts, viewLine, viewLines, viewRecords, viewStatus } from './views.js';
import { NO_MESSAGES, REAL_WORLD, type World } from './world.js';

export type { Messages, World } from './world.js';

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
  readonly messages?: MqttPort;
}

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
/** The chip itself needs no longer than this to see an edge. */
const DETECTION_NS = 1_000;
/** On its way from a chip with a kernel of its own an edge is no longer than this. */
const CHIP_WAY_NS = 1_000_000;

class RunningService implements Service {
  readonly closed: Promise<number>;
  readonly model: ModelView;
  readonly #configPath: string;
  readonly #log: Logger;
  readonly #stopTimes: StopTimes;
  readonly #backend: Backend;
  readonly #reports: Reports;
  readonly #parts: Parts;
  readonly #mqtt: MqttPort | undefined;
  readonly #startedNs: number;
  /** Aborted when a stop has waited long enough for programs. */
  readonly #ending = new AbortController();
  #close: (code: number) => void = () => {};
  #stopping: Promise<void> | undefined;
  /** Told of before there was anybody to tell it to: while the backend was opened. */
  readonly #untold: (() => void)[] = [];
  #opened = false;
  #reload: () => Promise<ReloadReport> = async () => this.reloadRefused(['nothing here reads the configuration anew']);
  /** The last one: each begins when the one before is over. */
  #reconfiguring: Promise<unknown> = Promise.resolve();
  #onProblem: (problem: string | undefined) => void = () => {};
  /** What a stop waits for just now. */
  #waitingFor = 'nothing';

  constructor(options: ServiceOptions) {
    const { config, configPath, log, kept, stopTimes = STOP_TIMES, world = REAL_WORLD } = options;
    this.#configPath = configPath;
    this.#log = log;
    this.#stopTimes = stopTimes;
    // As many listen as programs and requests run or wait: more than Node takes for a mistake.
    setMaxListeners(0, this.#ending.signal);
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#backend = world.openBackend(config, log, this.#backendEvents(), kept);
    const { originNs, machine } = this.#backend;
    this.model = new ModelView(machine);
    const nowNs = (): number => machine.clock.now();
    const wallMs = config.eventClock === 'realtime' ? (world.wallMs ?? Date.now) : undefined;
    this.#reports = new Reports(log, nowNs, (ns) => Math.round(originNs + ns), world.startTimer, wallMs);
    this.#parts = new Parts({
      ...{ config, backend: this.#backend, reports: this.#reports, world, log },
      messages: world.messages ?? options.messages ?? NO_MESSAGES,
      ending: this.#ending.signal,
    });
    this.#startedNs = nowNs();
    this.#opened = true;
    for (const tell of this.#untold) tell();
    this.#mqtt = options.messages;
    this.#mqtt?.onNews((news) => this.#reports.mqtt(news));
  }

  #backendEvents(): BackendEvents {
    return {
      onLost: (chip, offset, count) => this.#whenOpened(() => this.#reports.lost(this.#lineAt(chip, offset), count)),
      onGone: (chip, error) => this.#changed(() => this.#reports.chipGone(chip, error)),
      onBack: (chip, info) => this.#changed(() => this.#reports.chipBack(chip, info)),
      onWaiting: (chip, offset, why) =>
        this.#changed(() => this.#reports.lineWaiting(this.#lineAt(chip, offset), offset, why)),
      onHeld: (chip, offset) => this.#changed(() => this.#reports.lineHeld(this.#lineAt(chip, offset))),
      onOops: (where, error) => this.#reports.error(where, error),
      onBug: (text) => this.#reports.bug(text),
    };
  }

  async start(): Promise<void> {
    await this.#parts.start();
    const { chip } = this.#backend.main;
    const { lines, interrupts } = this.#parts.config;
    const held = lines.filter((line) => this.#backend.chipOf(line).waitingFor(line.gpio) === undefined);
    this.#log.info(
      {
        ...{ driver: chip.driver, chip: chip.info.name, label: chip.info.label },
        ...{ lines: held.length, interrupts: interrupts.length },
      },
      held.length === 0 ? 'holding no line yet' : `holding ${held.map(({ name }) => name).join(', ')}`,
    );
  }

  hooks(): readonly string[] {
    return this.#parts.hooks();
  }

  hook(name: string, payload = ''): Promise<void> {
    return this.#parts.hook(name, payload);
  }

  get #viewed(): Viewed {
    return {
      config: this.#parts.config,
      configPath: this.#configPath,
      backend: this.#backend,
      startedNs: this.#startedNs,
      interrupts: this.#parts.interrupts,
      reports: this.#reports,
      desc: (name) => this.#parts.desc(name),
    };
  }

  status(): DaemonStatus {
    const mqtt = this.#mqtt?.status();
    return { ...viewStatus(this.#viewed), ...(mqtt === undefined ? {} : { mqtt }) };
  }

  lines(): readonly LineStatus[] {
    return viewLines(this.#viewed);
  }

  getLine(name: string): LineStatus {
    return viewLine(this.#viewed, name);
  }

  setLine(name: string, value: Level): void {
    const desc = this.#parts.desc(name);
    if (desc.direction === 'in') {
      const hint = "only outputs can be set: those with 'direction: out' in the configuration";
      throw new KernelError('EPERM', `${name} is an input`, { hint, subject: name });
    }
    desc.set(value);
    this.#parts.outputs.forget(name);
    this.#reports.value(name, value, this.#backend.machine.clock.now());
  }

  interrupts(): InterruptsStatus {
    return viewInterrupts(this.#viewed);
  }

  async press(name: string, { forNs, bounce }: PressOptions): Promise<void> {
    const line = this.#parts.config.lines.find((candidate) => candidate.name === name);
    const { board, id } = this.#backend.chipOf(line ?? {});
    if (board === undefined) {
      throw new KernelError('ENOTSUP', `${name} is a real button, which only a finger can press`, {
        hint: 'press works with --driver sim',
      });
    }
    if (line === undefined) throw noSuchLine(name);
    if (line.direction === 'out') {
      throw new KernelError('EINVAL', `${name} is an output, and no button`, { subject: name });
    }
    const isMoving = board.press(name, { holdNs: forNs, bounce });
    // One after the other: a machine that is busy lets go late, and what follows begins then.
    await this.#pass(forNs);
    if (bounce) await this.#pass(BOUNCE_SETTLE_NS);
    while (isMoving()) await this.#pass(BOUNCE_SETTLE_NS);
    if (line.debounceNs > 0) await this.#pass(line.debounceNs);
    await this.#pass(id === MAIN_CHIP ? DETECTION_NS : CHIP_WAY_NS);
    await this.#settle(line);
  }

  /** Waits by an alarm of the model's clock, which a task would do too, but would be seen in the trace. */
  #pass(ns: number): Promise<void> {
    const { clock } = this.#backend.machine;
    return new Promise((resolve) => clock.createAlarm(resolve).schedule(clock.now() + ns));
  }

  /** Waits for the handlers, threads and work items of a line. */
  #settle(line: LineSpec): Promise<void> {
    return this.#parts.interrupts.synchronize(line.name, this.#backend.chipOf(line).toIrq(line.gpio));
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
    const report = refusedReport(errors);
    this.#reports.reloaded(report);
    return report;
  }

  reconfigure(config: Config): Promise<ReloadReport> {
    const turn = this.#reconfiguring.then(() => this.#takeOver(config));
    // One that fails keeps neither the next one nor a stop from their turn.
    this.#reconfiguring = turn.catch(() => undefined);
    return turn;
  }

  async #takeOver(config: Config): Promise<ReloadReport> {
    if (this.#stopping !== undefined) return refusedReport([STOPPING]);
    const report = await reconfigure(this.#parts, config);
    this.#reports.reloaded(report);
    this.#onProblem(this.#backend.problem);
    return report;
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
      const stopped = this.#reconfiguring.then(() => this.#freeAll());
      const quiet = await Promise.race([stopped.then(() => true), tooLong]);
      if (!quiet) this.#log.warn(`stopping: ${this.#waitingFor} does not end, and is left`);
    } catch (error) {
      this.#log.error({ err: error }, 'stopping: an interrupt could not be freed');
    } finally {
      clearTimeout(programs);
      clearTimeout(handlers);
      this.#reports.flush();
      await this.#parts.close();
      this.#close(0);
    }
  }

  #freeAll(): Promise<void> {
    return this.#parts.stop({
      waitingFor: (what) => {
        this.#waitingFor = what;
      },
      leftUndone: (line, count) =>
        this.#log.warn({ line, count }, `${line}: work for ${count} edges had not begun and is left undone`),
    });
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

  #lineAt(id: string, offset: number): string {
    const on = this.#parts.config.lines.find(({ gpio, chip = MAIN_CHIP }) => gpio === offset && chip === id);
    return on?.name ?? (id === MAIN_CHIP ? `GPIO${offset}` : `${id} ${offset}`);
  }
}
