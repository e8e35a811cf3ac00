// What a configuration makes of the service: descriptors, queues, interrupts, chords and triggers on the chips that it names.
import type { Logger } from 'pino';
import { flushWork, GpioDesc } from '../kernel/index.js';
import { Outputs } from './actions/outputs.js';
import { Slots } from './actions/slots.js';
import type { Backend } from './bridge/backend.js';
import { Chords } from './bridge/chords.js';
import { type HandlerModule, loadHandlerModule } from './bridge/handler-module.js';
import type { HeldChip } from './bridge/held-chip.js';
import type { ActionHost, InterruptHost } from './bridge/host.js';
import type { Anew } from './bridge/imports-anew.js';
import { Interrupts, type StopReports } from './bridge/interrupts.js';
import { Queues } from './bridge/queues.js';
import type { Config, InterruptSpec, LineSpec, TriggerSpec, WorkqueueSpec } from './config/config.js';
import { ModuleFiles } from './module-files.js';
import { moduleFiles } from './reload-plan.js';
import type { Reports } from './reports.js';
import { Triggers } from './triggers/triggers.js';
import { noSuchLine } from './views.js';
import type { Messages, World } from './world.js';

/** Programs, and requests, that run at once; more wait in line. A workqueue has its own limit besides, `max_active`. */
const PROGRAMS_MAX = 32;
const REQUESTS_MAX = 32;

/** What {@link Parts} are made from. */
export interface PartsOptions {
  readonly config: Config;
  readonly backend: Backend;
  readonly reports: Reports;
  readonly world: World;
  readonly messages: Messages;
  readonly log: Logger;
  /** Aborted when programs that still run are to be ended. */
  readonly ending: AbortSignal;
}

/** All parts of a running service, from the start to a stop; a reload exchanges some of them. */
export class Parts {
  /** As it is now; during a reload the old one until all lines are the new ones. */
  config: Config;
  readonly backend: Backend;
  readonly reports: Reports;
  readonly interrupts: Interrupts;
  readonly outputs: Outputs;
  readonly queues: Queues;
  readonly files = new ModuleFiles();
  /** Lines whose interrupts are requested once their old handlers have ended, and who does that: the reload that came last. */
  readonly late = new Map<string, object>();
  readonly #world: World;
  readonly #messages: Messages;
  readonly #log: Logger;
  readonly #host: Omit<InterruptHost, 'edge'>;
  /** One for each chip: the edge that is being handled is its own. */
  readonly #hosts = new WeakMap<HeldChip, InterruptHost>();
  readonly #descs = new Map<string, GpioDesc>();
  readonly #chipOf = new WeakMap<GpioDesc, HeldChip>();
  /** The same, as handler modules see them. */
  readonly #lines: Record<string, GpioDesc> = Object.create(null);
  #chords: Chords | undefined;
  #triggers: Triggers | undefined;
  /** A promise of a handler module's that nobody awaits must not take the daemon down with it. */
  readonly #onRejection = (error: unknown): void => this.reports.error('a promise that nobody awaits', error);

  constructor({ config, backend, reports, world, messages, log, ending }: PartsOptions) {
    const { machine } = backend;
    const nowNs = (): number => machine.clock.now();
    this.config = config;
    this.backend = backend;
    this.reports = reports;
    this.#world = world;
    this.#messages = messages;
    this.#log = log;
    this.queues = new Queues(machine);
    this.interrupts = new Interrupts(machine);
    this.outputs = new Outputs((name) => this.desc(name), {
      nowNs,
      onValue: (line, value, atNs) => reports.value(line, value, atNs),
      onError: (line, error) => reports.error(line, error),
      onRest: (line, rest) => this.#chipOf.get(line)?.noteRest(line.offset, rest),
    });
    this.#host = {
      ...this.#actionHost(nowNs, ending),
      line: (name) => this.desc(name),
      onEdge: (line, record) => reports.edge(line, record),
      onPress: (line, pattern, count, atNs) => reports.pressed(line, pattern, count, atNs),
      chord: (line, pressed, atNs) => this.#chords?.edge(line, pressed, atNs) === true,
      onDropped: (line, count) => reports.dropped(line, count),
    };
  }

  #actionHost(nowNs: () => number, ending: AbortSignal): ActionHost {
    const world = this.#world;
    const { reports } = this;
    const { random, pause } = world;
    const programs = new Slots(PROGRAMS_MAX, world.idling);
    const requests = new Slots(REQUESTS_MAX, world.idling);
    return {
      originNs: this.backend.originNs,
      ending,
      outputs: this.outputs,
      exec: (argv, options) => programs.run(() => world.exec(argv, options), ending),
      http: (request, options) => requests.run(() => world.http(request, { random, pause, ...options }), ending),
      publish: (topic, payload, how) => this.#messages.publish(topic, payload, how),
      wallMs: world.wallMs ?? Date.now,
      nowNs,
      queue: (name) => this.queues.get(name),
      workers: (queue) => this.queues.workers(queue),
      onValue: (line, value, atNs) => reports.value(line, value, atNs),
      onLog: (interrupt, text) => reports.said(interrupt, text),
      onError: (interrupt, error) => reports.error(interrupt, error),
      onLimited: (name, count) => reports.limited(name, count),
    };
  }

  /** Makes all that the configuration has; edges come from then on. Errors as those of each part. */
  async start(): Promise<void> {
    const { lines, workqueues } = this.config;
    this.files.note(this.files.look(moduleFiles(this.config)));
    for (const line of lines) this.setDesc(this.makeDesc(line, this.backend.chipOf(line)));
    for (const spec of workqueues) await this.addQueue(spec);
    this.replaceChords();
    for (const line of lines) {
      if (line.edge !== 'none') await this.request(line, await this.loadModule(line, this.#world.instance), false);
    }
    this.#triggers = this.#createTriggers();
    this.backend.start();
    this.#triggers.start();
  }

  /** Ends all of it: handlers that run are waited for, work that has not begun is left undone. */
  async stop(reports: StopReports): Promise<void> {
    const { machine } = this.backend;
    this.endTriggers();
    this.late.clear();
    await this.interrupts.stop(reports);
    this.#chords?.cancel();
    for (const work of [...(this.#chords?.works ?? []), ...(this.#triggers?.works ?? [])]) {
      await machine.call(() => flushWork(work), 'stop');
    }
    this.outputs.end();
  }

  /** Lets everything go that {@link stop} has left. */
  async close(): Promise<void> {
    process.off('unhandledRejection', this.#onRejection);
    await this.queues.close();
    this.backend.close();
  }

  /** `ENOENT` for a line that is not in the configuration. */
  desc(name: string): GpioDesc {
    const desc = this.#descs.get(name);
    if (desc === undefined) throw noSuchLine(name);
    return desc;
  }

  makeDesc({ name, gpio, direction }: LineSpec, chip: HeldChip): GpioDesc {
    const desc = new GpioDesc(name, gpio, direction, chip.lines, chip);
    this.#chipOf.set(desc, chip);
    return desc;
  }

  /** Has a line be found by its name. */
  setDesc(desc: GpioDesc): void {
    this.#descs.set(desc.name, desc);
    this.#lines[desc.name] = desc;
  }

  removeDesc(name: string): void {
    this.#descs.delete(name);
    delete this.#lines[name];
  }

  addQueue(spec: WorkqueueSpec): Promise<void> {
    return this.queues.add(spec, (queue, error) => this.reports.error(`a module of workqueue ${queue}`, error));
  }

  /** The interrupt of a line in a configuration. */
  specOf(line: LineSpec, config = this.config): InterruptSpec | undefined {
    return config.interrupts.find((candidate) => candidate.line === line.name);
  }

  /**
   * Loads the handler module of a line, if it has one. `EINVAL` when it cannot be loaded or is no handler.
   *
   * @param anew loads it anew for each value
   * @param of where the line is, when that is not in effect yet
   */
  async loadModule(
    line: LineSpec,
    anew: number | Anew | undefined,
    of?: { readonly config: Config; readonly desc: GpioDesc; readonly chip: HeldChip },
  ): Promise<HandlerModule | undefined> {
    const spec = this.specOf(line, of?.config);
    if (spec?.handler === undefined) return undefined;
    if (process.listeners('unhandledRejection').every((listener) => listener !== this.#onRejection)) {
      process.on('unhandledRejection', this.#onRejection);
    }
    const chip = of?.chip ?? this.backend.chipOf(line);
    const device = {
      line: of?.desc ?? this.desc(line.name),
      lines: this.#lines,
      edge: chip.edge,
      log: (text: string) => this.reports.said(spec.name, text),
    };
    return loadHandlerModule(spec.handler, device, anew);
  }

  /** Requests the interrupt of a line. @param countsOn whether the line is the one that it was */
  request(line: LineSpec, module: HandlerModule | undefined, countsOn: boolean): Promise<void> {
    const chip = this.backend.chipOf(line);
    return this.interrupts.request({
      irq: chip.toIrq(line.gpio),
      host: this.#hostOf(chip),
      line,
      spec: this.specOf(line),
      module,
      storms: {
        began: (checked) => this.reports.stormBegins(line.name, checked),
        ended: (state) => this.reports.stormEnds(line.name, state),
      },
      countsOn,
    });
  }

  #hostOf(chip: HeldChip): InterruptHost {
    const known = this.#hosts.get(chip);
    if (known !== undefined) return known;
    const host = { ...this.#host, edge: chip.edge };
    this.#hosts.set(chip, host);
    return host;
  }

  /** Looks for the chords of the configuration in place of others; work of those goes on. */
  replaceChords(): void {
    const spend = (line: string): void => this.interrupts.get(line)?.spend();
    this.#chords = new Chords(this.#hostOf(this.backend.main), this.config.chords ?? [], spend);
  }

  /** Nothing triggers any more until {@link startTriggers}. */
  endTriggers(): void {
    const count = this.#triggers?.end() ?? 0;
    if (count > 0) this.#log.warn({ count }, `work for ${count} triggers had not begun and is left undone`);
  }

  startTriggers(): void {
    this.#triggers = this.#createTriggers();
    this.#triggers.start();
  }

  #createTriggers(): Triggers {
    const host = {
      ...this.#host,
      call: (body: () => void) => this.backend.machine.call(body, 'trigger'),
      onMessage: this.#messages.onMessage.bind(this.#messages),
      startTimer: this.#world.startTimer,
      onTrigger: (name: string, by: TriggerSpec['by']) => this.reports.triggered(name, by),
      onWarning: (name: string, text: string) => this.reports.warn(name, text),
    };
    return new Triggers(host, this.config.triggers ?? []);
  }

  hooks(): readonly string[] {
    return this.#triggers?.hooks ?? [];
  }

  async hook(name: string, payload: string): Promise<void> {
    await this.#triggers?.hook(name, payload);
  }
}
