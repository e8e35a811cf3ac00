// From a checked entry of a scenario file to a step: one verb, and what goes with it.
import type {
  BounceOptions,
  Fault,
  LineExpectation,
  Step,
  StepAction,
  TextExpectation,
} from '../../sim-fallback/index.js';
import type { ConfigErrorCode, ConfigPath, Finding } from '../config/errors.js';
import { type Checked, check } from './check.js';
import type { Names } from './references.js';
import { type BounceInput, type StepInput, stepSchema, VERBS } from './schema.js';

type Key = keyof StepInput;

/** What goes with each verb besides `at` and `repeat`, and what has to; of faults, by the name of the fault. */
const PARTS: Readonly<Record<string, { readonly may: readonly Key[]; readonly must?: readonly Key[] }>> = {
  press: { may: ['hold', 'bounce'] },
  release: { may: ['bounce'] },
  level: { may: ['value'], must: ['value'] },
  expect: { may: ['value', 'rising', 'falling', 'lost', 'dropped'] },
  expect_log: { may: ['count'] },
  expect_exec: { may: ['count'] },
  expect_http: { may: ['count'] },
  expect_publish: { may: ['count'] },
  hook: { may: ['payload'] },
  message: { may: ['payload'] },
  'fault bounce': { may: ['line', 'bounce'], must: ['line'] },
  'fault glitch': { may: ['line', 'width'], must: ['line'] },
  'fault storm': { may: ['line', 'rate', 'for'], must: ['line', 'rate', 'for'] },
  'fault stuck': { may: ['line', 'value', 'for'], must: ['line', 'value', 'for'] },
  'fault lost': { may: ['line', 'count'], must: ['line'] },
  'fault late': { may: ['by', 'for'], must: ['by', 'for'] },
  'fault overflow': { may: ['for'], must: ['for'] },
  'fault unplug': { may: ['for'] },
};

/** Glitch that does not say how long it is: far longer than two ticks of the core clock, far shorter than any press. */
const GLITCH_NS = 1_000;

/** Options of a bounce as the board has them. */
export function bounceOf({ count, settle, spacing }: BounceInput): BounceOptions {
  return {
    ...(count === undefined ? {} : { maxBounces: count }),
    ...(settle === undefined ? {} : { settleNs: settle }),
    ...(spacing === undefined ? {} : { spacing }),
  };
}

/** Makes a step's action. @param path where the step stands, for what is wrong with it */
export function actionOf(input: StepInput, path: ConfigPath): Checked<StepAction> {
  const findings: Finding[] = [];
  const add = (code: ConfigErrorCode, at: ConfigPath, message: string, hint: string, atKey = false): void => {
    findings.push({ code, path: at, message, hint, atKey });
  };
  const given = VERBS.filter((verb) => input[verb] !== undefined);
  const [verb] = given;
  if (verb === undefined) {
    add('CONFIG_MISSING', path, 'the step does nothing', `write one of ${VERBS.join(', ')}`);
    return { findings };
  }
  if (given.length > 1) {
    add('CONFIG_CONFLICT', path, `${given.join(' and ')} in one step`, 'write a step for each');
    return { findings };
  }
  const kind = verb === 'fault' ? `fault ${input.fault}` : verb;
  const { may = [], must = [] } = PARTS[kind] ?? {};
  for (const key of Object.keys(input) as Key[]) {
    if (key === 'at' || key === 'repeat' || key === verb || input[key] === undefined || may.includes(key)) continue;
    const with_ = may.length === 0 ? 'nothing' : may.join(', ');
    add('CONFIG_CONFLICT', [...path, key], `${key} with ${kind}`, `with ${kind} goes ${with_}`, true);
  }
  for (const key of must) {
    if (input[key] === undefined)
      add('CONFIG_MISSING', path, `'${key}' is missing`, `${kind} needs ${must.join(', ')}`);
  }
  if (kind !== 'level' && input.value === 'float') {
    add('CONFIG_VALUE', [...path, 'value'], "'float' is not allowed here", 'write 0 or 1');
  }
  if (verb === 'expect' && may.every((key) => input[key] === undefined)) {
    add('CONFIG_MISSING', path, 'nothing is expected of the line', `write one of ${may.join(', ')}`);
  }
  return findings.length > 0 ? { findings } : { value: actionNamed(verb, input) };
}

function actionNamed(verb: (typeof VERBS)[number], input: StepInput): StepAction {
  const { hold: holdNs } = input;
  const bounce = typeof input.bounce === 'object' ? bounceOf(input.bounce) : input.bounce;
  switch (verb) {
    case 'press':
      return { kind: 'press', line: input.press ?? '', holdNs, bounce };
    case 'release':
      return { kind: 'release', line: input.release ?? '', bounce };
    case 'level':
      return { kind: 'level', line: input.level ?? '', value: input.value ?? 0 };
    case 'fault':
      return { kind: 'fault', fault: faultOf(input) };
    case 'expect':
      return { kind: 'expect', expect: expectationOf(input) };
    case 'hook':
      return { kind: 'hook', hook: input.hook ?? '', payload: input.payload ?? '' };
    case 'message':
      return { kind: 'message', topic: input.message ?? '', payload: input.payload ?? '' };
    case 'expect_log':
      return expectText('log', input.expect_log, input.count);
    case 'expect_exec':
      return expectText('exec', input.expect_exec, input.count);
    case 'expect_http':
      return expectText('http', input.expect_http, input.count);
    case 'expect_publish':
      return expectText('publish', input.expect_publish, input.count);
  }
}

function expectText(of: TextExpectation['of'], text = '', count?: number): StepAction {
  return { kind: 'expect-text', expect: { of, text, count } };
}

function expectationOf({ expect: line = '', value, rising, falling, lost, dropped }: StepInput): LineExpectation {
  return {
    line,
    ...(value === 0 || value === 1 ? { value } : {}),
    ...(rising === undefined ? {} : { rising }),
    ...(falling === undefined ? {} : { falling }),
    ...(lost === undefined ? {} : { lost }),
    ...(dropped === undefined ? {} : { dropped }),
  };
}

/** The rules have made sure that what a fault needs is there. */
function faultOf(input: StepInput): Fault {
  const { fault = 'bounce', line = '', for: forNs = 1, width = GLITCH_NS, rate = 1, by = 1, count = 1 } = input;
  switch (fault) {
    case 'bounce':
      return { fault, line, bounce: typeof input.bounce === 'object' ? bounceOf(input.bounce) : {} };
    case 'glitch':
      return { fault, line, widthNs: width };
    case 'storm':
      return { fault, line, ratePerSec: rate, forNs };
    case 'stuck':
      return { fault, line, value: input.value === 1 ? 1 : 0, forNs };
    case 'lost':
      return { fault, line, count };
    case 'late':
      return { fault, byNs: by, forNs };
    case 'overflow':
      return { fault, forNs };
    case 'unplug':
      return { fault, forNs: input.for };
  }
}

/** The step at a path of a parsed file, or what is wrong with it. */
export function stepAt(root: unknown, path: ConfigPath, names: Names): Checked<Step> {
  const checked = check(stepSchema, root, path);
  if ('findings' in checked) return checked;
  const action = actionOf(checked.value, path);
  if ('findings' in action) return action;
  const findings = names.step(action.value, path);
  if (findings.length > 0) return { findings };
  const { at, repeat } = checked.value;
  const step: Step = { atNs: at, action: action.value };
  return { value: repeat === undefined ? step : { ...step, repeat: { everyNs: repeat.every, count: repeat.count } } };
}
