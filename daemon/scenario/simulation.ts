// A configuration that runs on a simulated Pi in virtual time: the service as it is, with a world of its own around it.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { KernelError, type Machine, VirtualClock } from '../../kernel/index.js';
import { mulberry32 } from '../../sim-fallback/board/prng.js';
import type { Board, FaultyDevice, PadLevel, Pads, SeenLine, Stage } from '../../sim-fallback/index.js';
import type { ExecOptions, ExecResult } from '../actions/exec.js';
import { type HttpRequest, outcomeOf, persist } from '../actions/http.js';
import { MAIN_CHIP } from '../bridge/held-chip.js';
import type { Config, LineSpec } from '../config/config.js';
import { formatApproximate } from '../config/duration.js';
import type { ControlEvent, Service } from '../control/target.js';
import { matches } from '../mqtt/message.js';
import type { IncomingMessage } from '../mqtt/port.js';
import { startService, type World } from '../service.js';
import {
  BOOT_NS,
  idlingOn,
  makeParts,
  type PartsOptions,
  pauseOn,
  type SimulatedParts,
  timerOn,
  UPTIME_NS,
} from './simulated-parts.js';

/** What stands for programs that work items call. */
export type FakeExec = (argv: readonly string[], env: Readonly<Record<string, string>>) => Promise<string> | string;

/** What a {@link Simulation} is made from. */
export interface SimulationOptions extends PartsOptions {
  readonly config: Config;
  /** Absolute path of the configuration. */
  readonly configPath: string;
  /** Default: nothing is logged. */
  readonly log?: Logger;
  /** Called in place of programs; what it returns is what the program wrote. Default: nothing. */
  readonly exec?: FakeExec;
  /** Called in place of requests, for each try; the status that it returns is what the server answers. Default: 200. */
  readonly http?: (request: HttpRequest) => Promise<number> | number;
  /** What the wall clock shows at the start of the scenario, in ms since 1970; default: 2000-01-01T00:00:00Z. */
  readonly startMs?: number;
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

/** See {@link SimulationOptions.startMs}. */
const START_MS = Date.UTC(2000, 0, 1);
/** Of pauses between the tries of a request, so that they go another way than bounce of the same seed. */
const PAUSES_SEED = 0x77a17;
/** See {@link SimulationOptions.patienceMs}. */
const PATIENCE_MS = 60_000;
/** Longest that it runs before the host gets its turn. */
const TURN_MS = 20;
const STEPS_A_LOOK = 1_024;

/** What a simulated service has around it: who listens, who waits for messages, and how long handlers may wait in real time. */
interface Around {
  readonly listeners: Set<(event: SimulationEvent) => void>;
  readonly inbox: Inbox;
  readonly patienceMs: number;
}

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

  private constructor(made: SimulatedParts, service: Service, { listeners, inbox, patienceMs }: Around) {
    this.#inbox = inbox;
    this.service = service;
    this.board = made.board;
    this.pads = made.pads;
    this.stage = made.stage;
    this.device = made.device;
    this.machine = made.machine;
    this.#clock = made.clock;
    this.#patienceMs = patienceMs;
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
    let made: SimulatedParts | undefined;
    const clock = new VirtualClock();
    const now = (): number => clock.now() - BOOT_NS;
    const { startMs = START_MS, patienceMs = PATIENCE_MS } = options;
    const tell = (event: SimulationEvent): void => {
      for (const listener of listeners) listener(event);
    };
    const inbox = new Inbox();
    const world: World = {
      openBackend: (config, log, events) => {
        made = makeParts(clock, config, log, events, options);
        return made.backend;
      },
      exec: (argv, exec) => {
        const line = exec.env.GPIO_LINE ?? exec.env.GPIO_LINES ?? exec.env.GPIO_TRIGGER ?? '';
        tell({ type: 'exec', atNs: Math.round(now()), line, argv });
        return pretend(options.exec, argv, exec);
      },
      http: (request, how) =>
        persist(request, how, async (to) => {
          const { method, url, body } = request;
          tell({ type: 'http', atNs: Math.round(now()), method, url, ...(body === undefined ? {} : { body }) });
          return outcomeOf(to, { status: (await options.http?.(request)) ?? 200, text: '' });
        }),
      random: mulberry32((options.seed ?? 1) ^ PAUSES_SEED),
      pause: pauseOn(clock),
      idling: idlingOn(clock),
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
    const simulation = new Simulation(made, service, { listeners, inbox, patienceMs });
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
