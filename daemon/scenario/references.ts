// The names in a scenario, looked up in the configuration that it is played against.
import { lineOf, type StepAction } from '../../sim-fallback/index.js';
import type { Config } from '../config/config.js';
import { type ConfigPath, describe, type Finding } from '../config/errors.js';
import { nearest } from '../config/suggest.js';
import type { BoardInput } from './schema.js';

/** A line that the configuration does not name. */
const BY_NUMBER = /^GPIO\d{1,2}$/;

/** What a scenario can name. */
export class Names {
  readonly #lines: ReadonlySet<string>;
  readonly #buttons: Set<string>;

  constructor({ lines }: Pick<Config, 'lines'>) {
    this.#lines = new Set(lines.map(({ name }) => name));
    this.#buttons = new Set(lines.filter(({ direction }) => direction === 'in').map(({ name }) => name));
  }

  /** What is wrong with the names on a board; its buttons can be pressed. */
  board({ buttons = {}, leds = {}, pulls = {}, wires = [] }: BoardInput): Finding[] {
    const findings: Finding[] = [];
    for (const [kind, parts] of Object.entries({ buttons, leds, pulls })) {
      for (const name of Object.keys(parts)) findings.push(...this.#line(name, ['board', kind, name], true));
    }
    wires.forEach(({ from, to }, i) => {
      findings.push(...this.#line(from, ['board', 'wires', i, 'from']), ...this.#line(to, ['board', 'wires', i, 'to']));
    });
    for (const name of Object.keys(buttons)) this.#buttons.add(name);
    return findings;
  }

  /** What is wrong with the name in a step. @param path where the step stands */
  step(action: StepAction, path: ConfigPath): Finding[] {
    const name = lineOf(action);
    if (name === undefined) return [];
    if (action.kind === 'press' || action.kind === 'release') {
      if (this.#buttons.has(name)) return [];
      return [notFound('button', name, this.#buttons, [...path, action.kind])];
    }
    if (action.kind === 'expect') {
      return this.#lines.has(name) ? [] : [notFound('line', name, this.#lines, [...path, 'expect'])];
    }
    return this.#line(name, [...path, action.kind === 'fault' ? 'line' : action.kind]);
  }

  #line(name: string, path: ConfigPath, atKey = false): Finding[] {
    if (this.#lines.has(name) || (BY_NUMBER.test(name) && Number(name.slice(4)) < 54)) return [];
    return [{ ...notFound('line', name, this.#lines, path), atKey }];
  }
}

function notFound(kind: string, name: string, known: ReadonlySet<string>, path: ConfigPath): Finding {
  const guess = nearest(name, known);
  const list =
    known.size === 0 ? `the configuration has no ${kind}` : `there are ${[...known].slice(0, 10).join(', ')}`;
  const hint = guess === undefined ? list : `did you mean ${guess}?`;
  return { code: 'CONFIG_REFERENCE', path, message: `no ${kind} ${describe(name)}`, hint };
}
