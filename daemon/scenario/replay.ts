// `gpio-irqd replay`: a scenario against a configuration, in virtual time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import { EXIT, explainError, type Surroundings } from '../cli.js';
import type { Config } from '../config/config.js';
import { formatApproximate, formatDuration } from '../config/duration.js';
import { formatConfigError } from '../config/errors.js';
import { loadConfig } from '../config/load.js';
import { fileError } from '../file-faults.js';
import { createLogger } from '../log.js';
import type { LogLevel } from '../log-levels.js';
import { type Comparison, compareTraces } from './compare.js';
import { DETAILS, type Detail } from './details.js';
import { loadScenario, type Scenario } from './load.js';
import { OutputFile } from './output-file.js';
import { overwrites } from './overwrites.js';
import { type Played, play, type Unmet } from './play.js';
import { Simulation } from './simulation.js';
import { TextFault, textLines } from './text-lines.js';
import { TraceWriter } from './trace.js';
import { dumpLevels } from './vcd-dump.js';

/** Options of the command. */
export interface ReplayOptions {
  readonly config: string;
  readonly trace?: string;
  readonly detail?: Detail;
  readonly expect?: string;
  readonly vcd?: string;
  readonly map: ReadonlyMap<string, string>;
  readonly seed?: number;
  readonly logLevel?: LogLevel;
  readonly json?: boolean;
}

/** Records that the model's trace keeps: what one instant may bring. */
const TRACE_RECORDS = 65_536;

/** Failures of handlers that are told. */
const MAX_TOLD = 10;

/** A handler that failed. */
interface HandlerFailure {
  readonly atNs: number;
  readonly interrupt: string;
  readonly message: string;
}

/** What a replay has come to. */
interface Outcome extends Played {
  readonly failures: readonly Unmet[];
  readonly handlerErrors: number;
  /** The first of them. */
  readonly handlerFailures: readonly HandlerFailure[];
  readonly comparison: Comparison | undefined;
}

/** How much detail an expected trace has: its first line says so. `EINVAL` for what is no trace. */
function detailOf(path: string): Detail {
  const first = firstOf(texts(path)) ?? '';
  const detail = DETAILS.find((one) => first.startsWith('{"trace":1,') && first.includes(`"detail":"${one}"`));
  if (detail !== undefined) return detail;
  throw new KernelError('EINVAL', `${path} is no trace`, { hint: 'make one with gpio-irqd replay --trace FILE' });
}

/** The first of many; what gives them is told that no more are wanted. */
function firstOf<T>(many: Iterable<T>): T | undefined {
  for (const one of many) return one;
  return undefined;
}

function* texts(path: string): Generator<string> {
  try {
    for (const { text } of textLines(path)) yield text;
  } catch (error) {
    if (!(error instanceof TextFault)) throw fileError(error, path, 'read');
    const { line, message, hint } = error;
    throw new KernelError('EINVAL', `${path}:${line}: ${message}`, { hint, subject: path, cause: error });
  }
}

/** A scratch file for the trace when only a comparison is asked for. */
class Scratch {
  readonly #directory = scratchFolder();
  readonly path = join(this.#directory, 'trace.jsonl');

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function scratchFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'gpio-irqd-replay-'));
  } catch (error) {
    throw fileError(error, tmpdir(), 'written to', { always: 'set TMPDIR, or name a file with --trace' });
  }
}

/** What a replay writes to, and in which detail. */
class Outputs {
  readonly detail: Detail;
  readonly tracePath: string | undefined;
  readonly trace: OutputFile | undefined;
  readonly vcd: OutputFile | undefined;
  readonly #scratch: Scratch | undefined;

  /** `EINVAL`: what is to be compared with is no trace; as {@link OutputFile}: a file cannot be written. */
  constructor({ trace, vcd, expect, detail = 'contexts' }: ReplayOptions) {
    this.detail = expect === undefined ? detail : detailOf(expect);
    this.#scratch = expect !== undefined && trace === undefined ? new Scratch() : undefined;
    this.tracePath = trace ?? this.#scratch?.path;
    this.trace = this.tracePath === undefined ? undefined : new OutputFile(this.tracePath);
    try {
      this.vcd = vcd === undefined ? undefined : new OutputFile(vcd);
    } catch (error) {
      this.close();
      this.remove();
      throw error;
    }
  }

  close(): void {
    this.trace?.close();
    this.vcd?.close();
  }

  /** Takes away what was only for the comparison. */
  remove(): void {
    this.#scratch?.remove();
  }
}

/** Plays a scenario and writes its trace; the outputs are closed then. */
async function rehearse(
  scenario: Scenario,
  config: Config,
  options: ReplayOptions,
  io: Surroundings,
  outputs: Outputs,
): Promise<Outcome> {
  const level = options.logLevel;
  const log =
    level === undefined ? {} : { log: createLogger({ level, output: { write: io.err }, terminal: io.terminal }) };
  const simulation = await Simulation.start({
    config,
    configPath: resolve(options.config),
    seed: options.seed ?? scenario.seed,
    traceRecords: TRACE_RECORDS,
    ...(scenario.board === undefined ? {} : { board: scenario.board }),
    ...(scenario.startMs === undefined ? {} : { startMs: scenario.startMs }),
    ...log,
  });
  const handlerFailures: HandlerFailure[] = [];
  simulation.subscribe((event) => {
    if (event.type !== 'error' || handlerFailures.length === MAX_TOLD) return;
    const { atNs, interrupt, message } = event;
    handlerFailures.push({ atNs, interrupt, message });
  });
  const stop = new AbortController();
  const forget = io.onSignal((signal) => stop.abort(new KernelError('EINTR', `the replay was ended by ${signal}`)));
  const failures: Unmet[] = [];
  try {
    const { detail, trace } = outputs;
    const vcd = outputs.vcd === undefined ? undefined : dumpLevels(simulation, config, outputs.vcd.write);
    const writer = trace === undefined ? undefined : new TraceWriter(simulation, scenario.name, detail, trace.write);
    const onUnmet = (unmet: Unmet): void => {
      failures.push(unmet);
      writer?.unmet(unmet.atNs, unmet.message);
    };
    const onStep = writer === undefined ? {} : { onStep: writer.step };
    const played = await play(simulation, scenario, { onUnmet, signal: stop.signal, ...onStep });
    writer?.finish();
    vcd?.finish();
    const { handlerErrors } = simulation.service.status();
    return { ...played, failures, handlerErrors, handlerFailures, comparison: undefined };
  } finally {
    forget();
    outputs.close();
    await simulation.end();
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function report(outcome: Outcome, scenario: Scenario, options: ReplayOptions, io: Surroundings, ok: boolean): void {
  const { failures, comparison, steps, expectations, endNs, handlerErrors, handlerFailures } = outcome;
  if (options.json === true) {
    io.out(
      `${JSON.stringify({ ok, scenario: scenario.name, steps, endNs, expectations, failures, handlerErrors, handlerFailures, comparison })}\n`,
    );
    return;
  }
  for (const { place, atNs, message } of failures)
    io.out(`${place ?? scenario.name}: at ${formatDuration(atNs)}: ${message}\n`);
  for (const { atNs, interrupt, message } of handlerFailures)
    io.out(`${scenario.name}: at ${formatDuration(atNs)}: ${interrupt}: ${message}\n`);
  if (comparison?.equal === false) {
    io.out(`${comparison.text}${counted(comparison.differences, 'difference')} (- expected, + got)\n`);
  }
  const errors = handlerErrors === 0 ? '' : `, ${counted(handlerErrors, 'handler error')}`;
  const met =
    expectations === 0
      ? ''
      : `, ${outcome.expectations - outcome.unmet} of ${counted(expectations, 'expectation')} met`;
  const same = comparison === undefined ? '' : comparison.equal ? ', the trace is as expected' : ', the trace differs';
  io.out(`${scenario.name}: ${counted(steps, 'step')} in ${formatApproximate(endNs)}${met}${same}${errors}\n`);
}

/** The command. @returns the exit code: 1 when an expectation is not met, the trace differs, or a handler failed. */
export async function replay(file: string, options: ReplayOptions, io: Surroundings): Promise<number> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) {
    for (const error of loaded.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  const result = loadScenario(file, loaded.config, options.map);
  if (!result.ok) {
    for (const error of result.errors) io.err(`${formatConfigError(error)}\n`);
    return EXIT.usage;
  }
  const written = [options.trace, options.vcd].filter((path) => path !== undefined);
  const read = [file, options.config, options.expect].filter((path) => path !== undefined);
  const overwritten = overwrites(written, read);
  if (overwritten !== undefined) {
    io.err(`${overwritten}\n`);
    return EXIT.usage;
  }
  const { scenario } = result;
  let outputs: Outputs;
  try {
    outputs = new Outputs(options);
  } catch (error) {
    io.err(explainError('gpio-irqd', error));
    return EXIT.usage;
  }
  try {
    const played = await rehearse(scenario, loaded.config, options, io, outputs);
    const { expect } = options;
    const { tracePath } = outputs;
    const comparison =
      expect === undefined || tracePath === undefined ? undefined : compareTraces(texts(expect), texts(tracePath));
    const outcome: Outcome = { ...played, comparison };
    const ok = outcome.unmet === 0 && comparison?.equal !== false && outcome.handlerErrors === 0;
    report(outcome, scenario, options, io, ok);
    return ok ? EXIT.done : EXIT.failed;
  } finally {
    outputs.remove();
  }
}
