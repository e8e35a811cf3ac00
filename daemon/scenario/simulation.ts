// A configuration that runs on a simulated Pi in virtual time: the service as it is, with a world of its own around it.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { KernelError, Machine, VirtualClock } from '../../kernel/index.js';
import {
  type Board,
  type BoardDescription,
  createSimulatedPi,
  FaultyDevice,
  lineOf,
  type PadLevel,
  type Pads,
  type SeenLine,
  Stage,
  type StageLine,
  type Step,
  type StepAction,
} from '../../sim-fallback/index.js';
import type { ExecOptions, ExecResult } from '../actions/exec.js';
import type { HttpRequest } from '../actions/http.js';
import { type Backend, type BackendEvents, boardOf, Chips, createMachineOn, linesOf } from '../bridge/backend.js';
import type { StartTimer } from '../bridge/bursts.js';
import { holdChip, MAIN_CHIP } from '../bridge/held-chip.js';
import { createSimulatedChip, simulatedInfo } from '../bridge/simulated-chips.js';
import type { Config, LineSpec } from '../config/config.js';
import { formatApproximate } from '../config/duration.js';
import type { ControlEvent, Service } from '../control/target.js';
import { matches } from '../mqtt/message.js';
import type { IncomingMessage } from '../mqtt/port.js';
import { startService, type World } from '../service.js';
import type { BoardInput } from './schema.js';
import { bounceOf } from './steps.js';

/** What stands for programs that work items call. */
export type FakeExec = (argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<string> | string;

/** What a {@link Simulation} is made from. */
export interface SimulationOptions {
  readonly config: Config;
  /** Absolute path of the configuration. */
  readonly configPath: string;
  /** Of all that bounces; default 1. */
  readonly seed?: number;
  /** What the board has besides, or in another way than the configuration suggests. */
  readonly board?: BoardInput;
  /** Default: nothing is logged. */
  readonly log?: Logger;
  /** Called in place of programs; what it returns is what the program wrote. Default: nothing. */
  readonly exec?: FakeExec;
  /** Called in place of requests; the status that it returns is what the server answers. Default: 200. */
  readonly http?: (request: HttpRequest) => Promise<number> | number;
  /** What the wall clock shows at the start of the scenario, in ms since 1970; default: 2000-01-01T00:00:00Z. */
  readonly startMs?: number;
  /** Records that the model's trace keeps. */
  readonly traceRecords?: number;
  /** Real time, in ms, for which a handler may wait for something outside of the model; default a minute. */
  readonly patienceMs?: number;
}

/** What happened in a simulation besides the events of the service. */
export type SimulationEvent =
  | ControlEvent
  /** A work item has called a program, which is not run. */
  | { readonly type: 'exec'; readonly atNs: number; readonly line: string; readonly argv: readonly string[] }
  /** A work item has sent a request, which goes nowhere. Its headers are left out: they may be secret. */
  | {
      readonly type: 'http';
      readonly atNs: number;
      readonly method: string;
      readonly url: string;
      readonly body?: string;
    }
  /** A work item has published a message, which goes nowhere. */
  | {
      readonly type: 'publish';
      readonly atNs: number;
      readonly topic: string;
      readonly payload: string;
      readonly qos: number;
      readonly retain: boolean;
    };

/** CLOCK_MONOTONIC at the start of a scenario: the Pi has been up for ten seconds. */
const UPTIME_NS = 10e9;
/** Between the start of the service and that of the scenario: pulls take 2 µs each. */
const BOOT_NS = 1_000_000;
const ORIGIN_NS = BigInt(UPTIME_NS - BOOT_NS);
/** See {@link SimulationOptions.startMs}. */
const START_MS = Date.UTC(2000, 0, 1);
/** See {@link SimulationOptions.patienceMs}. */
const PATIENCE_MS = 60_000;
/** Longest that it runs before the host gets its turn. */
const TURN_MS = 20;
const STEPS_A_LOOK = 1_024;

let instances = 0;

/** Time is ns since the start of the scenario. */
export class Simulation {
  readonly service: Service;
  readonly board: Board;
  /** The chip's pads, as a logic analyser at them sees them. */
  readonly pads: Pads;
  readonly stage: Pick<Stage, 'perform' | 'refuses'>;
  readonly device: FaultyDevice;
  /** The daemon's machine. */
  readonly machine: Machine;
  readonly #clock: VirtualClock;
  readonly #patienceMs: number;
  readonly #boards: ReadonlyMap<string, Board>;
  readonly #listeners: Set<(event: SimulationEvent) => void>;
  readonly #inbox: Inbox;
  #ended = false;

  private constructor(made: Made, service: Service, listeners: Set<(event: SimulationEvent) => void>, inbox: Inbox) {
    this.#inbox = inbox;
    this.service = service;
    this.board = made.board;
    this.pads = made.pads;
    this.stage = made.stage;
    this.device = made.device;
    this.machine = made.machine;
    this.#clock = made.clock;
    this.#patienceMs = made.patienceMs;
    this.#boards = made.boards;
    this.#listeners = listeners;
    service.subscribe((event) => {
      const since = { ...event, atNs: event.atNs - UPTIME_NS };
      for (const listener of listeners) listener(since);
    });
  }

  /** Starts the service. Errors as the service's; nothing is left running then. */
  static async start(options: SimulationOptions): Promise<Simulation> {
    const listeners = new Set<(event: SimulationEvent) => void>();
    let made: Made | undefined;
    const clock = new VirtualClock();
    const now = (): number => clock.now() - BOOT_NS;
    const { startMs = START_MS } = options;
    const tell = (event: SimulationEvent): void => {
      for (const listener of listeners) listener(event);
    };
    const inbox = new Inbox();
    const world: World = {
      openBackend: (config, log, events) => {
        made = build(clock, config, log, events, options);
        return made.backend;
      },
      exec: (argv, exec) => {
        const line = exec.env.GPIO_LINE ?? exec.env.GPIO_LINES ?? exec.env.GPIO_TRIGGER ?? '';
        tell({ type: 'exec', atNs: Math.round(now()), line, argv });
        return pretend(options.exec, argv, exec);
      },
      http: async (request) => {
        const { method, url, body } = request;
        tell({ type: 'http', atNs: Math.round(now()), method, url, ...(body === undefined ? {} : { body }) });
        const status = (await options.http?.(request)) ?? 200;
        if (status >= 200 && status < 300) return { status, tries: 1 };
        throw new KernelError('EREMOTEIO', `${new URL(url).origin} answers with status ${status}`);
      },
      messages: {
        publish: (topic, payload, { qos, retain }) =>
          tell({ type: 'publish', atNs: Math.round(now()), topic, payload, qos, retain }),
        onMessage: (filter, listener) => inbox.add(filter, listener),
      },
      wallMs: () => startMs + Math.floor(now() / 1e6),
      startTimer: timerOn(clock),
      instance: ++instances,
    };
    const { config, configPath, log = pino({ level: 'silent' }) } = options;
    const service = await startService({ config, configPath, log, world });
    if (made === undefined) throw new KernelError('ENODEV', 'the simulated Pi was not opened');
    const simulation = new Simulation(made, service, listeners, inbox);
    await simulation.runUntil(0);
    return simulation;
  }

  /** Time since the start of the scenario, in ns. */
  get nowNs(): number {
    return this.#clock.now() - BOOT_NS;
  }

  /** Calls `listener` at every event, with its time in that of the scenario, until the returned function is called. */
  subscribe(listener: (event: SimulationEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A message comes, as from a broker, for triggers that wait for its topic. */
  message(topic: string, payload: string): void {
    this.#inbox.hand({ topic, payload });
  }

  /** A hook is called, as through the API; what is queued then runs when time goes on. `ENOENT` for one that is not in the configuration. */
  hook(name: string, payload = ''): void {
    const known = this.service.hooks?.() ?? [];
    if (!known.includes(name)) {
      const hint = known.length === 0 ? 'the configuration has none' : `there are ${known.join(', ')}`;
      throw new KernelError('ENOENT', `no hook ${name}`, { hint, subject: name });
    }
    this.service.hook?.(name, payload).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const event: SimulationEvent = { type: 'error', atNs: Math.round(this.nowNs), interrupt: name, message };
      for (const listener of this.#listeners) listener(event);
    });
  }

  /** Level of the pad of a line, on whichever chip it is. */
  padLevel({ chip = MAIN_CHIP, gpio }: Pick<LineSpec, 'chip' | 'gpio'>): PadLevel {
    return (this.#boards.get(chip) ?? this.board).level(gpio);
  }

  /** A line of the configuration as it is now; `ENOENT` when there is none of that name. */
  line(name: string): SeenLine {
    return this.service.getLine(name);
  }

  /**
   * Lets time go on until `atNs`, everything that is due then included. Waits where a handler waits for something from
   * outside of the model, as time does.
   *
   * @param onStep called now and then, and at the end
   * @throws the reason of `signal` when it is aborted; KernelError ETIMEDOUT when a handler waits for longer than `patienceMs`
   */
  async runUntil(atNs: number, onStep?: () => void, signal?: AbortSignal): Promise<void> {
    const clock = this.#clock;
    const end = atNs + BOOT_NS;
    let turnMs = performance.now();
    for (let steps = 1; ; steps++) {
      // Looked at first: to await costs more than most steps.
      if (clock.held) await this.#settled(signal);
      if (!clock.step(end)) break;
      onStep?.();
      if (steps % STEPS_A_LOOK !== 0 || performance.now() - turnMs < TURN_MS) continue;
      await nextTurn();
      signal?.throwIfAborted();
      turnMs = performance.now();
    }
    onStep?.();
  }

  /** Waits until no handler waits for something from outside of the model. */
  async #settled(signal: AbortSignal | undefined): Promise<void> {
    const done = new AbortController();
    const ends = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
    const late = delay(this.#patienceMs, true, { signal: ends }).catch(() => false);
    const tooLong = await Promise.race([this.#clock.settled().then(() => false), late]);
    done.abort();
    signal?.throwIfAborted();
    if (!tooLong) return;
    const waited = formatApproximate(this.#patienceMs * 1e6);
    throw new KernelError('ETIMEDOUT', `a handler has waited for ${waited} for something outside of the model`, {
      hint: 'a promise that nobody settles? Time stands still until then.',
    });
  }

  /** Stops the service; time goes on as far as it needs to. Idempotent. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    let stopped = false;
    const stop = this.service.stop('end of the scenario').then(() => {
      stopped = true;
    });
    // A handler that sleeps is waited for, and time has to pass for that.
    while (!stopped) {
      await nextTurn();
      const due = this.#clock.nextDueNs;
      if (!stopped && !this.#clock.held && due !== Number.POSITIVE_INFINITY) this.#clock.step(due);
    }
    await stop;
  }
}

/** Who waits for messages, in place of a broker. */
class Inbox {
  readonly #waiting = new Set<{ readonly filter: string; readonly listener: (message: IncomingMessage) => void }>();

  /** @returns ends it */
  add(filter: string, listener: (message: IncomingMessage) => void): () => void {
    const one = { filter, listener };
    this.#waiting.add(one);
    return () => this.#waiting.delete(one);
  }

  hand(message: IncomingMessage): void {
    for (const { filter, listener } of this.#waiting) if (matches(filter, message.topic)) listener(message);
  }
}

/** The parts of a simulated world. */
interface Made {
  readonly clock: VirtualClock;
  readonly patienceMs: number;
  readonly machine: Machine;
  readonly backend: Backend;
  readonly board: Board;
  /** Of further chips, by their ids. */
  readonly boards: ReadonlyMap<string, Board>;
  readonly pads: Pads;
  readonly stage: Pick<Stage, 'perform' | 'refuses'>;
  readonly device: FaultyDevice;
}

/** The stages of several chips: steps of a line are on that of its chip, and all others on that of the file's own. */
class Stages implements Pick<Stage, 'perform' | 'refuses'> {
  readonly #main: Stage;
  readonly #byLine: ReadonlyMap<string, Stage>;

  constructor(main: Stage, byLine: ReadonlyMap<string, Stage>) {
    this.#main = main;
    this.#byLine = byLine;
  }

  refuses(action: StepAction): KernelError | undefined {
    return this.#of(action).refuses(action);
  }

  perform(step: Step): void {
    this.#of(step.action).perform(step);
  }

  #of(action: StepAction): Stage {
    return this.#byLine.get(lineOf(action) ?? '') ?? this.#main;
  }
}

function stageLines(lines: readonly LineSpec[]): Map<string, StageLine> {
  return new Map(lines.map(({ name, gpio, activeLow }) => [name, { gpio, activeLow }]));
}

/** Two machines in one time: the Pi with its kernel, and the daemon's model, with a device file between them. */
function build(
  clock: VirtualClock,
  config: Config,
  log: Logger,
  events: BackendEvents,
  options: SimulationOptions,
): Made {
  const { seed = 1, traceRecords, patienceMs = PATIENCE_MS } = options;
  const kernel = new Machine({
    clock,
    lockdep: false,
    traceRecords: 16,
    printk: (_, message) => log.warn(`simulated Pi: ${message}`),
  });
  const own = linesOf(config, MAIN_CHIP);
  const lines = stageLines(own);
  const description = describeBoard(own, lines, options.board);
  const { chip, board, soc } = createSimulatedPi({ machine: kernel, board: description, seed, originNs: ORIGIN_NS });
  const device = new FaultyDevice(clock, () => chip.open());
  const records = traceRecords === undefined ? {} : { traceRecords };
  const machine = createMachineOn(clock, { ...records, cpus: config.cpus ?? 1 }, log, events);
  const originNs = ORIGIN_NS;
  const comeback = { reopen: () => device.open(), startTimer: timerOn(clock) };
  const others = new Map<string, Stage>();
  const boards = new Map<string, Board>();
  const backend = new Chips({
    ...{ config, events, made: { machine, originNs, stop: () => {} } },
    holdMain: (held) =>
      holdChip({ id: MAIN_CHIP, chip: device.open(), lines: held, machine, originNs, events, comeback }),
    open: (spec, held, number) => {
      const made = createSimulatedChip(simulatedInfo(spec, number), held, { machine, originNs, log });
      const opened = new FaultyDevice(clock, () => made.chip.open());
      const other = new Stage({ clock, board: made.board, device: opened, lines: stageLines(held), seed });
      for (const { name } of held) others.set(name, other);
      boards.set(spec.name, made.board);
      const back = { reopen: () => opened.open(), startTimer: timerOn(clock) };
      return { chip: opened.open(), board: made.board, comeback: back };
    },
  });
  return {
    clock,
    patienceMs,
    machine,
    backend,
    board,
    boards,
    pads: soc.gpio,
    device,
    stage: new Stages(new Stage({ clock, board, device, lines, seed }), others),
  };
}

/** The board that the configuration suggests, with what a scenario says of it. */
function describeBoard(
  own: readonly LineSpec[],
  lines: ReadonlyMap<string, StageLine>,
  input: BoardInput | undefined,
): BoardDescription {
  const suggested = boardOf(own);
  const gpio = (name: string): number => lines.get(name)?.gpio ?? Number(name.slice('GPIO'.length));
  const { buttons = {}, leds = {}, wires = [], pulls = {} } = input ?? {};
  // What the scenario puts on a line is there in place of what would be.
  const free = <T>(parts: Readonly<Record<string, T>> | undefined, ...others: object[]): Record<string, T> =>
    Object.fromEntries(
      Object.entries(parts ?? {}).filter(([name]) => others.every((other) => !Object.hasOwn(other, name))),
    );
  const wired = Object.fromEntries(wires.map(({ to }) => [to, true]));
  return {
    buttons: {
      ...free(suggested.buttons, leds, pulls, wired),
      ...Object.fromEntries(
        Object.entries(buttons).map(([name, { pull, to, bounce }]) => [
          name,
          {
            gpio: gpio(name),
            pull: pull ?? suggested.buttons?.[name]?.pull ?? 'up',
            ...(to === undefined ? {} : { to }),
            ...(bounce === undefined ? {} : { bounce: bounceOf(bounce) }),
          },
        ]),
      ),
    },
    leds: {
      ...free(suggested.leds, buttons),
      ...Object.fromEntries(
        Object.entries(leds).map(([name, { active }]) => [name, { gpio: gpio(name), activeLow: active === 'low' }]),
      ),
    },
    wires: wires.map(({ from, to }) => ({ from: gpio(from), to: gpio(to) })),
    pulls: Object.entries(pulls).map(([name, pull]) => ({ gpio: gpio(name), pull })),
  };
}

/** A program that does not run. */
async function pretend(
  fake: FakeExec | undefined,
  argv: readonly string[],
  { env, onLine }: ExecOptions,
): Promise<ExecResult> {
  const wrote = (await fake?.(argv, env)) ?? '';
  for (const line of wrote.split('\n')) if (line.trim() !== '') onLine?.(line.trimEnd());
  return { leftOutBytes: 0 };
}

function timerOn(clock: VirtualClock): StartTimer {
  return (callback, ms) => {
    const alarm = clock.createAlarm(callback);
    alarm.schedule(clock.now() + ms * 1e6);
    return () => alarm.cancel();
  };
}
