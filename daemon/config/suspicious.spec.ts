// What is allowed and probably not meant is warned of, and what a right configuration has is not.

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatConfigError, formatConfigWarning } from './errors.js';
import { formatExcerpt } from './excerpt.js';
import { loadConfig, parseConfig } from './load.js';

const warnings = (text: string): string[] => {
  const result = parseConfig(text, 'test.yaml');
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return result.warnings.map(formatConfigWarning);
};
const BUTTON = 'lines: { b: { gpio: 1, edge: both, debounce: 5ms } }\n';

describe('a warning', () => {
  it.each([
    ['a workqueue without work', `${BUTTON}workqueues: { q: {} }\n`, /2:15: warning: workqueues\.q: no work runs on/],
    ['a chip without lines', `${BUTTON}chips: { x: gpiochip1 }\n`, /2:10: warning: chips\.x: no line is on this chip/],
    [
      'an output that nothing sets',
      'lines: { l: { gpio: 1, direction: out } }\n',
      /1:10: .*no action sets this output/,
    ],
    ['an input that reports nothing', 'lines: { b: { gpio: 1 } }\n', /this input reports no edge; only gpio-irqctl/],
    [
      'presses on a line that bounces',
      'lines: { b: { gpio: 1, edge: both } }\ninterrupts: [ { line: b, patterns: [ { on: double, do: [ { log: x } ] } ] } ]\n',
      /1:10: warning: lines\.b: presses are looked for on a line without debounce/,
    ],
    [
      'a password in clear text',
      `${BUTTON}mqtt: { url: mqtt://broker, username: u, password_file: p }\n`,
      /2:14: warning: mqtt\.url: the password goes to the broker unencrypted/,
    ],
  ])('is given for %s', (_what, text, message) => {
    expect(warnings(text)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['a line that a broker is told of', 'lines: { b: { gpio: 1 } }\nmqtt: { url: mqtt://broker }\n'],
    ['a broker on this machine', `${BUTTON}mqtt: { url: mqtt://localhost, username: u, password_file: p }\n`],
    ['encryption', `${BUTTON}mqtt: { url: mqtts://broker, username: u, password_file: p }\n`],
    [
      'a queue of a chord',
      `${BUTTON.replace('}\n', ', c: { gpio: 2, edge: both, debounce: 1ms } }\n')}workqueues: { q: {} }\nchords: [ { lines: [b, c], queue: q, do: [ { log: x } ] } ]\n`,
    ],
    [
      'a line that a tasklet sets',
      `${BUTTON.replace('}\n', ', l: { gpio: 2, direction: out } }\n')}interrupts: [ { line: b, tasklet: [ { toggle: l } ] } ]\n`,
    ],
  ])('is not given for %s', (_what, text) => expect(warnings(text)).toEqual([]));

  it('is given for none of the examples', () => {
    const examples = readdirSync('examples').filter((name) => name.endsWith('.yaml'));
    expect(examples.length).toBeGreaterThan(2);
    for (const file of examples) {
      const result = loadConfig(`examples/${file}`);
      expect(result.ok ? result.warnings.map(formatConfigWarning) : result.errors.map(formatConfigError)).toEqual([]);
    }
  });
});

describe('the excerpt of an error', () => {
  const excerpts = (text: string): string[] => {
    const result = parseConfig(text, 'test.yaml');
    return result.ok ? [] : result.errors.map((error) => formatExcerpt(error, text));
  };

  it('has a caret under the wrong word, and the right one beside it', () => {
    expect(excerpts('lines:\n  b: { gpio: 1, bias: pul-up }\n')).toEqual([
      '  2 |   b: { gpio: 1, bias: pul-up }\n    |                       ^~~~~~ pull-up\n',
    ]);
    expect(excerpts('lnes:\n  b: { gpio: 1 }\n').at(-1)).toBe('  1 | lnes:\n    | ^~~~ lines\n');
  });

  it('stands right behind tabs, escapes and characters of two units', () => {
    expect(excerpts('lines: { b: { gpio: 1,\t"a😀b": 2 } }\n')[0]).toBe(
      '  1 | lines: { b: { gpio: 1, "a😀b": 2 } }\n    |                        ^~~~~\n',
    );
    expect(excerpts('lines: { "\u009b31m": { gpio: x } }\n').at(-1)).toBe(
      '  1 | lines: { "\\u{9b}31m": { gpio: x } }\n    |                               ^\n',
    );
  });

  it('shows of a long line what is around the place', () => {
    const [excerpt = ''] = excerpts(
      `lines: { b: { gpio: 1 } } ${' '.repeat(3000)}\nlog: { level: ${'x'.repeat(3000)} }\n`,
    );
    expect(excerpt.split('\n')[0]?.length).toBeLessThan(120);
    const far = excerpts(`lines: { ${'b: { gpio: 1 }, '.repeat(50)} c: { gpoi: 1 } }\n`).at(-1) ?? '';
    expect(far.split('\n').map((line) => line.length < 120)).toEqual([true, true, true]);
    expect(far.split('\n')[0]).toContain('gpoi');
  });

  it('is left out when there is no line to show', () => {
    expect(excerpts('')).toEqual(['']);
    const note = { code: 'CONFIG_FILE', file: 'f', line: 1, column: 1, path: '', message: 'no such file' };
    expect(formatExcerpt(note, undefined)).toBe('');
  });
});
