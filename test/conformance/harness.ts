// Finds scenarios and their recordings, runs them, and says which are equal: as a table, and as docs/conformance.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Hz, MachineOptions } from '../../kernel/index.js';
import { compare } from './compare.js';
import { type Recording, readRecording } from './recording.js';
import { runProgram } from './run-scenario.js';
import type { Program, ScenarioModule } from './vocabulary.js';

/** A scenario against one of its recordings. */
export interface Case {
  /** Name of the recording, e.g. `40-timer-order.hz100`. */
  readonly name: string;
  readonly scenario: string;
  readonly recording: string;
}

export type Result = { readonly name: string; readonly compared: number } & (
  | { readonly outcome: 'equal' }
  | { readonly outcome: 'parts'; readonly diff: string }
);

/** Recordings that the model has no scenario for, with the reason. */
export type NotExpressed = Readonly<Record<string, string>>;

/** Frames shown of a scenario that fails. */
const FRAMES = 6;
const SOURCES = new Set(['.ts', '.js', '.mjs']);
/** Helpers of scenarios, declarations and specs. */
const IGNORED = /^_|\.(?:d|spec|test)\.[jt]s$/;
/** Name of a directory's list of what the model cannot express. */
const NOT_EXPRESSED = 'not-expressed.json';

/** Where recordings of a directory's scenarios lie: beside them, or in a folder `recordings` there or one up. */
function recordingFolders(directory: string): string[] {
  return [directory, join(directory, 'recordings'), join(directory, '..', 'recordings')].filter(existsSync);
}

/** The recordings of one scenario: `NAME.jsonl` and `NAME.VARIANT.jsonl`; the first folder that has a name counts. */
function recordingsOf(name: string, folders: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    for (const file of readdirSync(folder).sort()) {
      const recording = basename(file, '.jsonl');
      const mine = file.endsWith('.jsonl') && (recording === name || recording.startsWith(`${name}.`));
      if (mine && !found.has(recording)) found.set(recording, join(folder, file));
    }
  }
  return found;
}

/** What a directory says that the model cannot express. */
export function notExpressed(directory: string): NotExpressed {
  const file = join(directory, NOT_EXPRESSED);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as NotExpressed) : {};
}

/**
 * All cases of a directory, by name. Throws for a directory without scenarios, and for a scenario without a recording.
 */
export function casesOf(directory: string): Case[] {
  const folder = resolve(directory);
  const omitted = notExpressed(folder);
  const folders = recordingFolders(folder);
  const cases: Case[] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!SOURCES.has(extname(file)) || IGNORED.test(file)) continue;
    const name = basename(file, extname(file));
    const recordings = recordingsOf(name, folders);
    if (recordings.size === 0) {
      throw new Error(`${join(folder, file)}: no recording ${name}.jsonl in ${folders.join(', ')}`);
    }
    for (const [recording, path] of recordings) {
      if (omitted[recording] === undefined)
        cases.push({ name: recording, scenario: join(folder, file), recording: path });
    }
  }
  if (cases.length === 0) throw new Error(`${folder} has no scenarios (NAME.ts or NAME.js with NAME.jsonl)`);
  return cases;
}

/** Recordings beside a directory's scenarios that none of these goes with, and that it does not say it leaves out. */
export function unusedRecordings(directory: string): string[] {
  const folder = resolve(directory);
  const used = new Set([...casesOf(folder).map(({ name }) => name), ...Object.keys(notExpressed(folder))]);
  return recordingFolders(folder)
    .flatMap((where) => readdirSync(where))
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => basename(file, '.jsonl'))
    .filter((name) => !used.has(name))
    .sort();
}

/** Variants of the recorded kernel's command line, by the ends of the recordings' names. */
const COMMAND_LINE: Readonly<Record<string, MachineOptions>> = {
  threadirqs: { threadirqs: true },
  'preempt-none': { preempt: 'none' },
  irqfixup: { irqfixup: 1 },
  irqpoll: { irqfixup: 2 },
  noirqdebug: { noirqdebug: true },
};

/** The machine that a recording was made on. */
export function machineOptions({ meta }: Recording): MachineOptions {
  const [, hz] = /\.hz(\d+)$/.exec(meta.scenario) ?? [];
  const [, variant = ''] = /\.([^.]+)$/.exec(meta.scenario) ?? [];
  return {
    cpus: meta.cpus,
    lockdep: meta.config === 'lockdep',
    arch: 'x86',
    ...(hz === undefined ? {} : { hz: Number(hz) as Hz }),
    ...COMMAND_LINE[variant],
  };
}

async function load(file: string): Promise<ScenarioModule> {
  const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const program = module.default;
  if (typeof program !== 'function') {
    throw new Error(`${file}: exports no program (export default function* (o: Oracle) { … })`);
  }
  return { default: program as Program, options: (module.options ?? {}) as MachineOptions };
}

/** Runs one case; a scenario that throws parts from its recording. */
export async function runCase({ name, scenario, recording }: Case): Promise<Result> {
  const { default: program, options } = await load(scenario);
  const recorded = readRecording(recording);
  try {
    const { equal, compared, diff } = compare(
      recorded,
      runProgram(program, { ...machineOptions(recorded), ...options }),
    );
    return equal ? { name, compared, outcome: 'equal' } : { name, compared, outcome: 'parts', diff };
  } catch (error) {
    return { name, compared: 0, outcome: 'parts', diff: `the scenario failed: ${describe(error)}` };
  }
}

/** The message and its cause's, the innermost with the place that it comes from. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return `${error.message}: ${describe(error.cause)}`;
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return [`${error.name}: ${error.message}`, ...frames.slice(0, FRAMES)].join('\n');
}

export async function runCases(cases: readonly Case[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const one of cases) results.push(await runCase(one));
  return results;
}

/** The table that the command prints. */
export function table(results: readonly Result[]): string {
  const width = results.reduce((most, { name }) => Math.max(most, name.length), 8);
  const lines = results.map(({ name, compared, outcome }) => {
    const entries = compared === 0 ? '' : `${compared} entries`;
    return `${outcome === 'equal' ? '=' : '≠'} ${name.padEnd(width)}  ${entries.padStart(12)}  ${outcome}`;
  });
  const diffs = results.flatMap((result) =>
    result.outcome === 'parts' ? [`${result.name}: - recorded, + model\n${result.diff}\n`] : [],
  );
  const equal = results.filter(({ outcome }) => outcome === 'equal').length;
  return `${[...diffs, ...lines].join('\n')}\n\n${equal} of ${results.length} equal\n`;
}

/** docs/conformance.md. */
export function document(results: readonly Result[], omitted: NotExpressed): string {
  const equal = results.filter(({ outcome }) => outcome === 'equal').length;
  const reasons = Object.entries(omitted).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${[
    '# Conformance to Linux 6.12',
    '',
    '<!-- Written by `npm run conformance`. -->',
    '',
    'Small programs ran on a real Linux 6.12.117 (x86-64, QEMU), which logged every step with its context: CPU, kind of',
    'context, interrupt flag, fields of preempt_count, task, policy. The same programs run on the model, and the logs are',
    'compared event by event, then the text of the kernel log line by line. `test/conformance/README.md` says what is',
    'compared and how to write a scenario.',
    '',
    `**${equal} of ${results.length} recordings are equal**; ${reasons.length} more are not expressed yet, for the reasons below.`,
    '',
    '| recording | entries | |',
    '|---|--:|---|',
    ...results.map(({ name, compared, outcome }) => `| ${name} | ${compared} | ${outcome} |`),
    '',
    '## Not expressed',
    '',
    '| recording | what the model has not got |',
    '|---|---|',
    ...reasons.map(([name, reason]) => `| ${name} | ${reason} |`),
  ].join('\n')}\n`;
}
