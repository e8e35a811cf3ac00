// `gpio-irqd fuzz`: random scenarios against a configuration, until something fails or the time is over.
import { resolve } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import type { Step } from '../../sim-fallback/index.js';
import { EXIT, type Surroundings } from '../cli.js';
import type { Config } from '../config/config.js';
import { formatApproximate } from '../config/duration.js';
import { formatConfigError } from '../config/errors.js';
import { loadConfig } from '../config/load.js';
import { brokenInvariants } from './invariants.js';
import { loadScenario, type Scenario } from './load.js';
import { play } from './play.js';
import { BUSY_NS, REST_NS, randomSteps } from './random-steps.js';
import type { BoardInput } from './schema.js';
import { shrink } from './shrink.js';
import { Simulation } from './simulation.js';
import { writeScenario } from './write.js';

/** Options of the command. */
export interface FuzzOptions {
  readonly config: string;
  readonly seed: number;
  /** Time in the simulation, in ns. */
  readonly for: number;
  /** Only this scenario is played and checked. */
  readonly scenario?: string;
}

/** What a round has come to. */
interface Round {
  /** Edges that the daemon handled. */
  readonly edges: number;
  /** What failed, a sentence each; empty when all is well. */
  readonly failures: readonly string[];
}

const ROUND_NS = BUSY_NS + REST_NS;
/** What a line says that is used while its chip is away (daemon/bridge/lasting-lines.ts). */
const CHIP_GONE = 'the GPIO chip is gone';
/** Failures of one round that are listed. */
const MAX_LISTED = 10;

/** Plays one scenario, lets the daemon come to rest, and checks what has to hold. */
async function round(
  config: Config,
  configPath: string,
  scenario: Scenario,
  board: BoardInput | undefined,
  signal: AbortSignal,
): Promise<Round> {
  const failures: string[] = [];
  const fail = (message: string): void => {
    if (failures.length < MAX_LISTED && !failures.includes(message)) failures.push(message);
  };
  const simulation = await Simulation.start({
    config,
    configPath,
    seed: scenario.seed,
    ...(board === undefined ? {} : { board }),
  });
  let chipLeft = false;
  let gone = false;
  simulation.subscribe((event) => {
    if (event.type === 'chip') {
      chipLeft = true;
      gone = event.phase === 'gone';
    }
    // Whoever uses a line while the chip is away is told so, and rightly.
    if (event.type === 'error' && !(gone && event.message.includes(CHIP_GONE)))
      fail(`${event.interrupt}: ${event.message}`);
  });
  try {
    await play(simulation, scenario, { signal, onUnmet: ({ message }) => fail(message) });
    if (simulation.machine.tainted && failures.length === 0)
      fail('the model has warned of a mistake; replay --log-level warn shows it');
    for (const broken of brokenInvariants(simulation, config, chipLeft)) fail(broken);
  } catch (error) {
    if (signal.aborted) throw error;
    fail(error instanceof Error ? error.message : String(error));
  } finally {
    await simulation.end();
  }
  const left = [...simulation.machine.irqs].filter((desc) => desc.actions.length > 0);
  for (const { irq } of left) fail(`irq ${irq} is still requested after the stop`);
  const { received } = simulation.service.status().edges;
  return { edges: received, failures };
}

/** A scenario of steps. */
function scenarioOf(steps: readonly Step[], seed: number): Scenario {
  return { name: 'fuzz', seed, board: undefined, endNs: ROUND_NS, steps, texts: [] };
}

/** Plays the same once more for each trial of a shrink. */
async function shortest(
  config: Config,
  configPath: string,
  steps: readonly Step[],
  seed: number,
  signal: AbortSignal,
): Promise<{ readonly steps: readonly Step[]; readonly failures: readonly string[] }> {
  let failures: readonly string[] = [];
  const found = await shrink(steps, async (candidate) => {
    const trial = await round(config, configPath, scenarioOf(candidate, seed), undefined, signal);
    if (trial.failures.length > 0) failures = trial.failures;
    return trial.failures.length > 0;
  });
  return { steps: found, failures };
}

async function fuzzRounds(
  config: Config,
  options: FuzzOptions,
  io: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const configPath = resolve(options.config);
  const rounds = Math.max(1, Math.ceil(options.for / ROUND_NS));
  let edges = 0;
  for (let i = 0; i < rounds; i++) {
    const seed = (options.seed + Math.imul(i, 0x9e37_79b9)) >>> 0;
    const steps = randomSteps(config, seed);
    const result = await round(config, configPath, scenarioOf(steps, seed), undefined, signal);
    edges += result.edges;
    if (result.failures.length === 0) continue;
    io.err(`round ${i + 1} of ${rounds} failed; looking for the shortest scenario that does\n`);
    const { steps: short, failures } = await shortest(config, configPath, steps, seed, signal);
    const told = failures.length > 0 ? failures : result.failures;
    const comment = [
      `Found by gpio-irqd fuzz --seed ${options.seed}, round ${i + 1}; ${steps.length} steps were shrunk to ${short.length}.`,
      ...told,
      `Again: gpio-irqd fuzz --config ${options.config} --scenario FILE`,
    ];
    io.out(writeScenario({ name: `fuzz ${options.seed}`, seed, endNs: ROUND_NS }, short, comment));
    return EXIT.failed;
  }
  const time = formatApproximate(rounds * ROUND_NS);
  io.out(`${rounds} random scenarios, ${time}, ${edges} edges: nothing failed\n`);
  return EXIT.done;
}

async function fuzzOne(
  config: Config,
  options: FuzzOptions,
  file: string,
  io: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const loaded = loadScenario(file, config);
  if (!loaded.ok) {
    for (const error of loaded.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  const { scenario } = loaded;
  const { edges, failures } = await round(config, resolve(options.config), scenario, scenario.board, signal);
  for (const failure of failures) io.out(`${scenario.name}: ${failure}\n`);
  if (failures.length === 0) io.out(`${scenario.name}: ${edges} edges: nothing failed\n`);
  return failures.length === 0 ? EXIT.done : EXIT.failed;
}

/** The command. @returns the exit code: 1 when something failed. */
export async function fuzz(options: FuzzOptions, io: Surroundings): Promise<number> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) {
    for (const error of loaded.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  const stop = new AbortController();
  const forget = io.onSignal((signal) => stop.abort(new KernelError('EINTR', `ended by ${signal}`)));
  try {
    if (options.scenario !== undefined) return await fuzzOne(loaded.config, options, options.scenario, io, stop.signal);
    return await fuzzRounds(loaded.config, options, io, stop.signal);
  } finally {
    forget();
  }
}
