// Loading a scenario: from a YAML or JSONL file or a VCD capture to steps, or to the list of everything that is wrong.
import { inOrder, type Step, type TextExpectation } from '../../sim-fallback/index.js';
import type { Config } from '../config/config.js';
import type { ConfigError, Finding } from '../config/errors.js';
import { inOrder as errorsInOrder, readText, toError } from '../config/load.js';
import { type Place, parseSource } from '../config/source.js';
import { check } from './check.js';
import { type JsonlSource, openJsonl } from './jsonl.js';
import { Names } from './references.js';
import { type BoardInput, fileSchema, type HeaderInput, MAX_STEPS } from './schema.js';
import { stepAt } from './steps.js';
import { openVcd, type SignalMap } from './vcd.js';

/** Most values of a YAML file: its steps with all that goes with them. */
const MAX_VALUES = 20 * MAX_STEPS;
const FILE_HINTS = {
  missing: 'check the path; examples/scenarios has some to start from',
  large: 'what is longer is JSONL, with a step a line (docs/scenarios.md)',
};

/** A scenario that has been checked against a configuration. */
export interface Scenario {
  /** Its name, or that of its file. */
  readonly name: string;
  readonly seed: number;
  readonly board: BoardInput | undefined;
  /** When it is over, in ns; undefined: some time after its last step. */
  readonly endNs: number | undefined;
  /** What the wall clock shows at its start, in ms since 1970; undefined: as the simulation has it. */
  readonly startMs?: number;
  /** The steps in the order of time, read as they are asked for. */
  readonly steps: Iterable<Step>;
  /** Texts that its steps look for. */
  readonly texts: readonly TextExpectation[];
}

/** A scenario, or what is wrong with the file: at least one error, in the order of the file. */
export type ScenarioResult =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** The board's mistakes; once for YAML and for JSONL. */
function boardFindings(names: Names, header: HeaderInput | undefined): Finding[] {
  return header?.board === undefined ? [] : names.board(header.board);
}

function scenarioOf(
  file: string,
  header: Partial<HeaderInput>,
  steps: Iterable<Step>,
  texts: readonly TextExpectation[],
): Scenario {
  const { name = file.replace(/^.*\//, ''), seed = 1, board, end, clock } = header;
  const start = clock === undefined ? {} : { startMs: Date.parse(clock) };
  return { name, seed, board, endNs: end, steps, texts, ...start };
}

/** Reads a scenario from the text of a YAML file. Never throws. */
export function parseScenario(text: string, file: string, config: Pick<Config, 'lines'>): ScenarioResult {
  const source = parseSource(text, { maxValues: MAX_VALUES });
  const errors = source.findings.map((finding) => toError(finding, file, finding.place));
  const place = (finding: Finding): Place => source.place(finding.path, finding.atKey);
  if (source.value === undefined || errors.length > 0) return { ok: false, errors: errorsInOrder(errors) };
  const root = source.value;
  const findings: Finding[] = [];
  const file_ = check(fileSchema, root, []);
  const header = 'value' in file_ ? file_.value : undefined;
  if ('findings' in file_) findings.push(...file_.findings);
  const names = new Names(config);
  findings.push(...boardFindings(names, header));
  const steps: Step[] = [];
  header?.steps.forEach((_, i) => {
    const path = ['steps', i];
    const step = stepAt(root, path, names);
    if ('findings' in step) findings.push(...step.findings);
    else {
      const { line, column } = source.place(path);
      steps.push({ ...step.value, place: `${file}:${line}:${column}` });
    }
  });
  if (header !== undefined && findings.length === 0) {
    return { ok: true, scenario: scenarioOf(file, header, inOrder(steps), textsOf(steps)) };
  }
  for (const finding of findings) errors.push(toError(finding, file, place(finding)));
  return { ok: false, errors: errorsInOrder(errors) };
}

function textsOf(steps: readonly Step[]): TextExpectation[] {
  return steps.flatMap(({ action }) => (action.kind === 'expect-text' ? [action.expect] : []));
}

function fromJsonl(source: JsonlSource, file: string, names: Names): ScenarioResult {
  const { header } = source;
  const findings = boardFindings(names, header);
  const errors = findings.map((finding) => toError(finding, file, { line: 1, column: 1 }));
  if (errors.length > 0) return { ok: false, errors };
  const texts: TextExpectation[] = [];
  const faults = source.faults(names, (step) => texts.push(...textsOf([step])));
  if (faults.length > 0) return { ok: false, errors: errorsInOrder([...faults]) };
  return { ok: true, scenario: scenarioOf(file, header, source.steps(names), texts) };
}

function fromVcd(file: string, config: Pick<Config, 'lines'>, map: SignalMap): ScenarioResult {
  const source = openVcd(file, config, map);
  if ('errors' in source) return { ok: false, errors: source.errors };
  return { ok: true, scenario: scenarioOf(file, {}, source.steps, []) };
}

/**
 * Loads a scenario: `.jsonl` is read line by line, `.vcd` is a capture, all else is YAML. Never throws.
 *
 * @param map which signals of a capture are which lines, where their names differ
 */
export function loadScenario(file: string, config: Pick<Config, 'lines'>, map: SignalMap = new Map()): ScenarioResult {
  if (file.endsWith('.vcd')) return fromVcd(file, config, map);
  if (file.endsWith('.jsonl')) {
    const source = openJsonl(file);
    return 'errors' in source ? { ok: false, errors: source.errors } : fromJsonl(source, file, new Names(config));
  }
  const read = readText(file, FILE_HINTS);
  return read.ok ? parseScenario(read.text, file, config) : read;
}
