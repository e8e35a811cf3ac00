// Variables in a configuration: what they give, what they may not do, and that nothing tells what they gave.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from './config.js';
import type { Environment } from './environment.js';
import { formatConfigError } from './errors.js';
import { parseConfig } from './load.js';

/** Writes `${...}`, which a linter takes for a mistake in a plain string. */
const v = (inner: string): string => `\u{24}{${inner}}`;
const load = (text: string, environment: Environment): Config => {
  const result = parseConfig(text, 'test.yaml', { environment });
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return result.config;
};
const errors = (text: string, environment: Environment = {}): string[] => {
  const result = parseConfig(text, 'test.yaml', { environment });
  return result.ok ? [] : result.errors.map(formatConfigError);
};
const logged = (text: string, environment: Environment = {}): unknown =>
  load(
    `lines: { b: { gpio: 1, edge: both } }\ninterrupts: [ { line: b, thread: [ { log: ${JSON.stringify(text)} } ] } ]`,
    environment,
  ).interrupts[0]?.thread[0];

describe('a variable', () => {
  it('gives a number where a number is wanted, in quotes and without', () => {
    const text = `lines:\n  a: { gpio: "${v('PIN')}" }\n  b:\n    gpio: ${v('OTHER:-4')}\n    initial: ${v('ON')}\n    direction: out\n`;
    expect(load(text, { PIN: '17', ON: '1' }).lines.map(({ gpio, initial }) => [gpio, initial])).toEqual([
      [17, 0],
      [4, 1],
    ]);
  });

  it('gives a text where a text is wanted, though it looks like a number', () => {
    const text = `lines: { a: { gpio: 1 } }\nmqtt: { url: "mqtt://${v('HOST')}:${v('PORT')}", username: "${v('USER')}" }\n`;
    const { mqtt } = load(text, { HOST: 'broker', PORT: '1883', USER: '0123' });
    expect(mqtt).toMatchObject({ url: 'mqtt://broker:1883', username: '0123' });
  });

  it('gives true and false', () => {
    const text = `lines: { a: { gpio: 1 } }\nmqtt: { url: "mqtt://h", discovery: "${v('D')}" }\n`;
    expect(load(text, { D: 'false' }).mqtt?.discovery).toBeUndefined();
  });

  it('may be one of a list, and part of a text', () => {
    const text = `driver: ${v('DRIVER:-sim')}\nlines: { a: { gpio: 1, edge: "${v('EDGE')}", debounce: "${v('MS')}ms" } }\n`;
    const config = load(text, { EDGE: 'both', MS: '5' });
    expect([config.driver, config.lines[0]?.edge, config.lines[0]?.debounceNs]).toEqual(['sim', 'both', 5e6]);
  });

  it('has its default when it is not set, or empty', () => {
    const text = (inner: string) => `log: { level: "${v(inner)}" }\nlines: { a: { gpio: 1 } }\n`;
    expect(load(text('L:-warn'), {}).log?.level).toBe('warn');
    expect(load(text('L:-warn'), { L: '' }).log?.level).toBe('warn');
    expect(load(text('L:-warn'), { L: 'error' }).log?.level).toBe('error');
  });

  it('that is not set is an error at its place', () => {
    expect(errors(`lines:\n  a: { gpio: 1, edge: "x${v('EDGE')}" }\n`)).toEqual([
      `test.yaml:2:25: lines.a.edge: the variable EDGE is not set; set it in the environment of the daemon, or write ${v('EDGE:-default')}`,
    ]);
    expect(errors(`lines:\n  a: { gpio: "${v('toString')}" }\n`)[0]).toContain('the variable toString is not set');
  });

  it('leaves placeholders and doubled braces of texts alone', () => {
    expect(logged(`$ {line}: ${v('line')} and ${v('{x}')}`)).toEqual({
      kind: 'log',
      text: ['$ ', { placeholder: 'line' }, ': $', { placeholder: 'line' }, ` and ${v('x')}`],
    });
  });

  it('is a text itself behind two dollars', () => {
    const text = `lines: { a: { gpio: 1 } }\nmqtt: { url: "mqtt://h", username: "$${v('A')}-${v('A')}" }\n`;
    expect(load(text, { A: 'x' }).mqtt?.username).toBe(`${v('A')}-x`);
  });

  it.each([
    ['without its end', `a: { gpio: "\u{24}{A" }`, /2:15: .* without its '}'/],
    ['with a name that is none', `a: { gpio: "${v('1A')}" }`, /2:15: .* is no variable; write/],
    ['with an operator of the shell', `a: { gpio: "${v('A:?x')}" }`, /is no variable/],
    ['without quotes in a flow mapping', `a: { gpio: ${v('A')} }`, /put quotes around a variable/],
  ])('%s is an error', (_what, line, message) => {
    expect(errors(`lines:\n  ${line}\n`, { A: '1' })[0]).toMatch(message);
  });

  it('is never filled in into a key, and never becomes a list or a mapping', () => {
    expect(errors(`lines:\n  ${v('A')}: { gpio: 1 }\n`, { A: 'b' })[0]).toMatch(/is not a name/);
    expect(errors(`lines: { a: "${v('A')}" }\n`, { A: '{ gpio: 1 }' })[0]).toMatch(/^test.yaml:1:13: /);
    expect(errors(`lines: { a: { gpio: 1, edge: "${v('A')}" } }\n`, { A: 'both, bias: pull-up' })).toHaveLength(1);
  });
});

describe('what a variable gave', () => {
  const PLACES: [what: string, text: string][] = [
    ['an edge', `lines: { a: { gpio: 1, edge: "${v('S')}" } }\n`],
    ['a number', `lines: { a: { gpio: "${v('S')}" } }\n`],
    ['a duration', `lines: { a: { gpio: 1, debounce: "${v('S')}" } }\n`],
    ['a chip', `chip: "${v('S')}"\nlines: { a: { gpio: 1 } }\n`],
    ['a mapping', `lines: "${v('S')}"\n`],
    ['a list', `lines: { a: { gpio: 1 } }\ninterrupts: "${v('S')}"\n`],
    ['a reference', `lines: { a: { gpio: 1 } }\ninterrupts: [ { line: "${v('S')}", thread: [ { log: x } ] } ]\n`],
    [
      'a target',
      `lines: { a: { gpio: 1, edge: both } }\ninterrupts: [ { line: a, thread: [ { set: "${v('S')}" } ] } ]\n`,
    ],
    [
      'a queue',
      `lines: { a: { gpio: 1 } }\ntriggers: [ { name: t, hook: h, work: { queue: "${v('S')}", do: [ { log: x } ] } } ]\n`,
    ],
    ['a module', `lines: { a: { gpio: 1, edge: both } }\ninterrupts: [ { line: a, handler: "${v('S')}.js" } ]\n`],
    ['a file', `include: "${v('S')}"\nlines: { a: { gpio: 1 } }\n`],
    ['a URL', `lines: { a: { gpio: 1 } }\nmqtt: { url: "${v('S')}" }\n`],
    [
      'a header',
      `lines: { a: { gpio: 1 } }\ntriggers: [ { name: t, hook: h, work: { do: [ { http: "https://h/", headers: { A: "${v('S')}" } } ] } } ]\n`,
    ],
  ];

  it.each(PLACES)('is told by no error about %s', (_what, text) => {
    const unit = fc.constantFrom(...'abcXYZ019{}!', '\u001b', '\n', ' ');
    const secret = fc.string({ unit, minLength: 6, maxLength: 12 }).map((tail) => `s3cr3t${tail}`);
    fc.assert(
      fc.property(secret, (value) => {
        for (const error of errors(text, { S: value })) {
          expect(error).not.toContain('s3cr3t');
          expect(error).not.toContain(value.slice(6));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is told by no error at another place, either', () => {
    const text = `lines: { a: { gpio: 1 } }\ninterrupts:\n  - { line: a, name: "${v('S')}", thread: [ { log: x } ] }\n  - { line: a, thread: [ { set: "${v('S')}" } ] }\n`;
    expect(errors(text, { S: 's3cr3t' }).join('\n')).not.toContain('s3cr3t');
  });
});
