// Scenarios with a step a line, which may be of any length: recordings are written so. The first line is the header.
import type { Step } from '../../sim-fallback/index.js';
import { parseDuration } from '../config/duration.js';
import type { ConfigError, Finding } from '../config/errors.js';
import { toError } from '../config/load.js';
import { check } from './check.js';
import type { Names } from './references.js';
import { type HeaderInput, headerSchema, LONGEST_NS } from './schema.js';
import { stepAt } from './steps.js';
import { openFault, TextFault, type TextLine, textLines } from './text-lines.js';

/** Most errors that are looked for. */
const MAX_ERRORS = 100;

/** A JSONL file whose header is right. */
export interface JsonlSource {
  readonly header: HeaderInput;
  /** Reads all of it, shows every step, and says what is wrong. */
  faults(names: Names, onStep: (step: Step) => void): readonly ConfigError[];
  /** Its steps, each read when it is asked for, from the start each time. Checked by {@link faults} before: what is wrong now is thrown. */
  steps(names: Names): Iterable<Step>;
}

/** Opens a file and reads its header. Never throws. */
export function openJsonl(file: string): JsonlSource | { readonly errors: readonly ConfigError[] } {
  try {
    for (const line of textLines(file)) {
      const root = parsed(line, file);
      if ('error' in root) return { errors: [root.error] };
      const header = check(headerSchema, root.value, []);
      if ('findings' in header) return { errors: header.findings.map((finding) => placed(finding, file, line)) };
      return {
        header: header.value,
        faults: (names, onStep) => faultsIn(file, names, onStep),
        steps: (names) => ({ [Symbol.iterator]: () => stepsOf(file, names) }),
      };
    }
    return { errors: [fileError(file, 1, 'the file is empty', 'its first line is {"scenario":1}')] };
  } catch (error) {
    return { errors: [textError(error, file)] };
  }
}

function fileError(file: string, line: number, message: string, hint: string): ConfigError {
  return toError({ code: 'CONFIG_SYNTAX', path: [], message, hint }, file, { line, column: 1 });
}

function textError(error: unknown, file: string): ConfigError {
  if (error instanceof TextFault) return fileError(file, error.line, error.message, error.hint);
  return toError({ code: 'CONFIG_FILE', path: [], message: openFault(error, file) }, file, { line: 1, column: 1 });
}

/** Where a finding is on its line: at the key that it is about, as far as that can be found. */
function placed(finding: Finding, file: string, { text, number }: TextLine): ConfigError {
  const key = finding.path.findLast((step) => typeof step === 'string');
  const at = key === undefined ? 0 : text.indexOf(JSON.stringify(key));
  return toError(finding, file, { line: number, column: Math.max(0, at) + 1 });
}

function parsed({ text, number }: TextLine, file: string): { value: unknown } | { error: ConfigError } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { error: fileError(file, number, 'the line is not JSON', 'write one object a line') };
  }
}

/** What recordings consist of, read without the schema: there may be millions. */
const LEVEL_KEYS = 3;

function levelStep(value: unknown): Step | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('at' in value && 'level' in value && 'value' in value) || Object.keys(value).length !== LEVEL_KEYS)
    return undefined;
  const { at, level: line, value: to } = value;
  if (typeof at !== 'string' || typeof line !== 'string' || (to !== 0 && to !== 1)) return undefined;
  const atNs = parseDuration(at);
  if (atNs === undefined || atNs > LONGEST_NS) return undefined;
  return { atNs, action: { kind: 'level', line, value: to } };
}

/** The step on a line, or what is wrong with it. */
function stepOn(line: TextLine, file: string, names: Names): Step | readonly ConfigError[] {
  const root = parsed(line, file);
  if ('error' in root) return [root.error];
  const quick = levelStep(root.value);
  if (quick !== undefined && names.step(quick.action, []).length === 0) return quick;
  const step = stepAt(root.value, [], names);
  if ('findings' in step) return step.findings.map((finding) => placed(finding, file, line));
  return { ...step.value, place: `${file}:${line.number}:1` };
}

function* stepLines(file: string): Generator<TextLine> {
  for (const line of textLines(file)) if (line.number > 1 && line.text.trim() !== '') yield line;
}

function faultsIn(file: string, names: Names, onStep: (step: Step) => void): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  let lastNs = 0;
  try {
    for (const line of stepLines(file)) {
      const step = stepOn(line, file, names);
      if ('atNs' in step) {
        if (step.atNs < lastNs) {
          const hint = 'the lines of a JSONL file are in the order of their times';
          errors.push(fileError(file, line.number, 'the step is before the one on an earlier line', hint));
        }
        lastNs = step.atNs;
        onStep(step);
      } else errors.push(...step);
      if (errors.length >= MAX_ERRORS) break;
    }
  } catch (error) {
    errors.push(textError(error, file));
  }
  return errors;
}

function* stepsOf(file: string, names: Names): Generator<Step> {
  for (const line of stepLines(file)) {
    const step = stepOn(line, file, names);
    if (!('atNs' in step)) throw new Error(`${file} has changed since it was checked`);
    yield step;
  }
}
