// The daemon on a simulated Pi in virtual time, for tests: press, let time go on, look.
import { join, resolve } from 'node:path';
import { parseDuration } from '../daemon/config/duration.js';
import { formatConfigError } from '../daemon/config/errors.js';
import { check } from '../daemon/scenario/check.js';
import { loadScenario, parseScenario, type ScenarioResult } from '../daemon/scenario/load.js';
import { perform, play, textOf, type Unmet } from '../daemon/scenario/play.js';
import { Names } from '../daemon/scenario/references.js';
import { boardSchema } from '../daemon/scenario/schema.js';
import {
  type FakeExec,
  Simulation,
  type SimulationEvent,
  type SimulationOptions,
} from '../daemon/scenario/simulation.js';
import { stepAt } from '../daemon/scenario/steps.js';
import { KernelError } from '../kernel/errno.js';
import type { Level } from '../kernel/index.js';
import { type SeenLine, type Step, unmet, unmetText } from '../sim-fallback/index.js';
import { type Config, loadedConfig } from './load.js';

/** A step of a scenario as it is written in a file, without its time (docs/scenarios.md). */
export type StepMapping = Readonly<Record<string, unknown>>;

/** What {@link simulate} needs. */
export interface SimulateOptions {
  /** The file, or what would stand in it. */
  readonly config: string | Readonly<Record<string, unknown>>;
  /** Where the modules of a configuration that is no file are looked for; default: the current directory. */
  readonly directory?: string;
  /** Of all that is random: bounce, and pauses between tries; default 1. The same seed and the same calls give the same edges. */
  readonly seed?: number;
  /** What is on the board, as in a scenario; default: a button at each input and an LED at each output. */
  readonly board?: Readonly<Record<string, unknown>>;
  /** Called in place of programs (`exec`); what it returns is what the program wrote. Programs are never run. */
  readonly exec?: FakeExec;
  /**
   * Called in place of requests (`http`); the status that it returns is the answer, and one such as 503 has the action try
   * again, in virtual time. Requests are never sent. Default: 200.
   */
  readonly http?: SimulationOptions['http'];
  /** What the wall clock shows at the start, for schedules: ISO 8601; default `2000-01-01T00:00:00Z`. */
  readonly clock?: string;
  /** A handler that fails makes the call fail in which it did; default true. With false it is only kept in `errors`. */
  readonly strict?: boolean;
}

/** How a button is pressed. */
export interface PressTiming {
  /** Default `80ms`. */
  readonly hold?: string;
  /** Default false, a clean contact. */
  readonly bounce?: boolean | { readonly count?: number; readonly settle?: string; readonly spacing?: number };
}

/** Time after a press for bounce to settle and handlers to run. */
const AFTER_PRESS_NS = 20_000_000;

function durationOf(text: string): number {
  const ns = parseDuration(text);
  if (ns !== undefined) return ns;
  throw new KernelError('EINVAL', `'${text}' is not a duration`, {
    hint: 'write a number with its unit: 5ms, 200us, 2s',
  });
}

/** A daemon under test. Time stands still but in {@link run}, {@link press} and {@link play}. */
export class SimulatedDaemon {
  /** What `log` actions, handler modules and programs have written, in order. */
  readonly log: string[] = [];
  /** Programs that were called: their words. */
  readonly programs: (readonly string[])[] = [];
  /** Handlers that threw or broke a rule of their context, and actions that failed. */
  readonly errors: string[] = [];
  /** Everything that the daemon reported; times are ns since the start. */
  readonly events: SimulationEvent[] = [];
  readonly #config: Config;
  readonly #simulation: Simulation;
  readonly #strict: boolean;
  #told = 0;
  #ended = false;

  /** Made by {@link simulate}. */
  constructor(config: Config, simulation: Simulation, strict: boolean) {
    this.#config = config;
    this.#simulation = simulation;
    this.#strict = strict;
    simulation.subscribe((event) => {
      this.events.push(event);
      if (event.type === 'log') this.log.push(event.text);
      else if (event.type === 'exec') this.programs.push(event.argv);
      else if (event.type === 'error') this.errors.push(event.stack ?? `${event.interrupt}: ${event.message}`);
    });
  }

  /** Ns since the start. */
  get now(): number {
    return this.#simulation.nowNs;
  }

  /** Presses a button, lets it go again, and lets what that sets off happen: the time of the press, the debounce, and 20 ms. */
  async press(button: string, { hold = '80ms', bounce }: PressTiming = {}): Promise<void> {
    this.do({ press: button, hold, ...(bounce === undefined ? {} : { bounce }) });
    const debounceNs = this.#config.lines.find(({ name }) => name === button)?.debounceNs ?? 0;
    await this.#pass(durationOf(hold) + debounceNs + AFTER_PRESS_NS);
  }

  /** Holds a wire with a logical level to a line; `float` takes it away. Seen by the daemon when time goes on. */
  set(line: string, value: Level | 'float'): void {
    this.do({ level: line, value });
  }

  /**
   * Does now what a step of a scenario does: `{ fault: 'storm', line: 'meter', rate: 1000, for: '1s' }`. What a step expects is
   * compared now, counts with those since the start. `EINVAL` for what is no step, or has a time or a repetition.
   */
  do(step: StepMapping): void {
    this.#checkAlive('do');
    const timed = ['at', 'repeat'].find((key) => Object.hasOwn(step ?? {}, key));
    if (timed !== undefined) {
      throw new KernelError('EINVAL', `${JSON.stringify(step)}: ${timed} in a step that is done now`, {
        hint: 'play({ scenario: 1, steps: [...] }) has steps with times',
      });
    }
    const result = stepAt({ at: '0s', ...step }, [], new Names(this.#config));
    if ('value' in result) {
      const unmet = this.#perform(result.value);
      if (unmet.length > 0) throw new Error(unmet.join('\n'));
      return;
    }
    const [finding] = result.findings;
    const hint = finding?.hint === undefined ? {} : { hint: finding.hint };
    throw new KernelError('EINVAL', `${JSON.stringify(step)}: ${finding?.message ?? 'not a step'}`, hint);
  }

  /** What of a step's expectation does not hold; all else is done. */
  #perform(step: Step): string[] {
    const { action } = step;
    if (action.kind === 'expect') return unmet(action.expect, this.line(action.expect.line));
    if (action.kind === 'expect-text') {
      const { of, text } = action.expect;
      const found = this.events.filter((event) => event.type === of && textOf(event)?.includes(text) === true);
      return unmetText(action.expect, found.length);
    }
    perform(this.#simulation, step);
    return [];
  }

  /** Lets time go on, by `1s`, `5ms`, `200us`. */
  async run(duration: string): Promise<void> {
    await this.#pass(durationOf(duration));
  }

  /**
   * Plays a scenario from now on: a file (YAML, JSONL, VCD), or what would stand in one. Its board is left out: the daemon has one.
   *
   * @throws an error with every expectation that is not met
   */
  async play(scenario: string | Readonly<Record<string, unknown>>): Promise<void> {
    this.#checkAlive('play');
    const result: ScenarioResult =
      typeof scenario === 'string'
        ? loadScenario(scenario, this.#config)
        : parseScenario(JSON.stringify(scenario), 'scenario', this.#config);
    if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
    const failures: Unmet[] = [];
    await play(this.#simulation, result.scenario, { onUnmet: (one) => failures.push(one) });
    this.#check();
    if (failures.length === 0) return;
    throw new Error(
      failures.map(({ place, message }) => (place === undefined ? message : `${place}: ${message}`)).join('\n'),
    );
  }

  /** A line as it is now, and what it has counted. `ENOENT` for one that is not in the configuration. */
  line(name: string): SeenLine {
    return this.#simulation.line(name);
  }

  /** Whether the LED at an output is lit. `ENOENT` when there is none. */
  lit(name: string): boolean {
    return this.#simulation.board.led(name).lit;
  }

  /** Part of the last `window` in which an LED was lit, 0 to 1. Errors as {@link lit}, and as `Led.duty`. */
  duty(name: string, window: string): number {
    return this.#simulation.board.led(name).duty(durationOf(window));
  }

  /** What ran when, and in which context, as a picture. */
  timeline(): string {
    return this.#simulation.service.trace();
  }

  /** /proc/interrupts of the model. */
  interrupts(): string {
    return this.#simulation.service.interrupts().text;
  }

  /** Stops the daemon, as a signal would; its handlers come to their end. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#simulation.end();
    this.#check();
  }

  #checkAlive(what: string): void {
    if (!this.#ended) return;
    throw new KernelError('EBADF', `${what}: the daemon was ended`, { hint: 'simulate() starts another one' });
  }

  async #pass(ns: number): Promise<void> {
    this.#checkAlive('run');
    await this.#simulation.runUntil(this.now + ns);
    this.#check();
  }

  #check(): void {
    const fresh = this.errors.slice(this.#told);
    this.#told = this.errors.length;
    if (this.#strict && fresh.length > 0) throw new Error(`a handler has failed:\n${fresh.join('\n')}`);
  }
}

const OPTIONS = ['config', 'directory', 'seed', 'board', 'exec', 'http', 'clock', 'strict'];

/** Options as JavaScript may have them. @throws `EINVAL` for what they cannot be */
function checkOptions(options: unknown): void {
  const refuse = (message: string, hint: string): never => {
    throw new KernelError('EINVAL', `simulate: ${message}`, { hint });
  };
  if (typeof options === 'string') return;
  if (typeof options !== 'object' || options === null) {
    refuse(`${String(options)} is no configuration`, 'name its file, or give { config }');
  }
  const unknown = Object.keys(options ?? {}).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) refuse(`no option '${unknown}'`, `there are ${OPTIONS.join(', ')}`);
  const { config, seed, exec, http, clock } = options as Partial<Record<keyof SimulateOptions, unknown>>;
  if (typeof config !== 'string' && (typeof config !== 'object' || config === null)) {
    refuse('there is no configuration', 'give its file, or what would stand in it, as { config }');
  }
  if (seed !== undefined && !(Number.isInteger(seed) && Number(seed) >= 0 && Number(seed) < 2 ** 32)) {
    refuse(`seed ${String(seed)}`, 'give a whole number, 0 to 4294967295');
  }
  if (http !== undefined && typeof http !== 'function') refuse('http is no function', 'give (request) => status');
  if (clock !== undefined && Number.isNaN(Date.parse(String(clock)))) {
    refuse(`clock ${String(clock)}`, "write it as '2026-01-01T06:59:00Z'");
  }
  if (exec !== undefined && typeof exec !== 'function') refuse('exec is no function', 'give (argv, env) => text');
}

/**
 * Starts the daemon with a configuration on a simulated Pi, in virtual time. Call {@link SimulatedDaemon.end} when the test is over.
 *
 * @throws `EINVAL` for options that are none; an error with every mistake in the configuration; errors of handler modules that cannot be loaded
 */
export async function simulate(options: string | SimulateOptions): Promise<SimulatedDaemon> {
  checkOptions(options);
  const {
    config: source,
    directory = '.',
    seed,
    board,
    exec,
    http,
    clock,
    strict = true,
  } = typeof options === 'string' ? ({ config: options } satisfies SimulateOptions) : options;
  const configPath = typeof source === 'string' ? resolve(source) : resolve(join(directory, 'configuration'));
  const config = loadedConfig(source, configPath);
  const checked = board === undefined ? undefined : check(boardSchema, { board }, ['board']);
  const findings =
    checked === undefined ? [] : 'findings' in checked ? checked.findings : new Names(config).board(checked.value);
  const [finding] = findings;
  if (finding !== undefined) throw new Error(`${finding.path.join('.')}: ${finding.message}; ${finding.hint ?? ''}`);
  const simulation = await Simulation.start({
    config,
    configPath,
    ...(seed === undefined ? {} : { seed }),
    ...(exec === undefined ? {} : { exec }),
    ...(http === undefined ? {} : { http }),
    ...(clock === undefined ? {} : { startMs: Date.parse(clock) }),
    ...(checked === undefined || 'findings' in checked ? {} : { board: checked.value }),
  });
  return new SimulatedDaemon(config, simulation, strict);
}
