// The JSON Schema that editors read agrees with the loader: what is right there is right here, and most mistakes are seen.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { publishedSchema, schemaText } from './json-schema.js';
import { parseConfig } from './load.js';

const { $id: _, ...schema } = publishedSchema();
const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
const validate = ajv.compile(schema);
const faults = (value: unknown): string[] => {
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
};

/** The configurations among the examples: not scenarios, nor what other programs read. */
function examples(folder = 'examples'): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : examples(path);
    return /\.yaml$/.test(path) && /^lines:/m.test(readFileSync(path, 'utf8')) ? [path] : [];
  });
}

describe('the JSON Schema', () => {
  it.each(examples())('finds nothing wrong in %s, which names it', (path) => {
    const text = readFileSync(path, 'utf8');
    expect(faults(parse(text))).toEqual([]);
    const [, named = ''] = /^# yaml-language-server: \$schema=(.*)\n/.exec(text) ?? [];
    expect(named).toMatch(/schemas\/gpio-irqd\.schema\.json$/);
    if (named.startsWith('..')) expect(readFileSync(join(path, '..', named), 'utf8')).toBe(schemaText());
  });

  it('knows durations, amounts of memory, texts with placeholders and variables', () => {
    const text = `
      include: [conf.d]
      lines: { b: { gpio: "\u{24}{PIN}", edge: "\u{24}{EDGE:-both}", debounce: 1.5ms }, l: { gpio: 4, direction: out } }
      workqueues: { q: { flags: [cpu_intensive], memory_max: 64M } }
      interrupts:
        - { line: b, thread: { priority: 60, do: [ { log: "{line}", limit: { rate: 5 } } ] }, work: { do: [ { toggle: l } ] } }
      chips: { x: "label:\u{24}{LABEL}" }
      mqtt: { url: mqtt://h, discovery: false }`;
    expect(faults(parse(text))).toEqual([]);
  });

  const MISTAKES: [what: string, text: string][] = [
    ['an unknown key at the top', 'lnes: {}'],
    ['an unknown key of a line', 'lines: { b: { gpio: 1, activ: low } }'],
    ['a misspelt bias', 'lines: { b: { gpio: 1, bias: pul-up } }'],
    ['a line without gpio', 'lines: { b: { edge: both } }'],
    ['a GPIO as a text', 'lines: { b: { gpio: GPIO17 } }'],
    ['a GPIO beyond any chip', 'lines: { b: { gpio: 1024 } }'],
    ['a name that is none', 'lines: { "my button": { gpio: 1 } }'],
    ['a debounce without unit', 'lines: { b: { gpio: 1, debounce: 5 } }'],
    ['a debounce with a strange unit', 'lines: { b: { gpio: 1, debounce: 5sec } }'],
    ['a storm guard without rate', 'storm_guard: { window: 1s }'],
    ['a chip that is none', 'chip: /dev/gpiochip0'],
    ['a level of 2', 'interrupts: [ { line: b, top_half: [ { set: l, value: 2 } ] } ]'],
    ['a program as a text', 'interrupts: [ { line: b, work: { do: [ { exec: /bin/true } ] } } ]'],
    ['work without do', 'interrupts: [ { line: b, work: [ { queue: q } ] } ]'],
    ['an empty thread', 'interrupts: [ { line: b, thread: [] } ]'],
    ['a misspelt action', 'interrupts: [ { line: b, thread: [ { sett: l } ] } ]'],
    ['a misspelt action of work in a list', 'interrupts: [ { line: b, work: [ { do: [ { sett: l } ] } ] } ]'],
    ['an unknown pattern', 'interrupts: [ { line: b, patterns: [ { on: triple, do: [ { log: x } ] } ] } ]'],
    ['a chord of one line', 'chords: [ { lines: [b], do: [ { log: x } ] } ]'],
    ['a trigger without work', 'triggers: [ { name: t, hook: h } ]'],
    ['an unknown queue flag', 'workqueues: { q: { flags: [unbond] } }'],
    ['a max_active of 513', 'workqueues: { q: { max_active: 513 } }'],
    ['memory without unit', 'workqueues: { q: { memory_max: 64 } }'],
    ['a broker without url', 'mqtt: { qos: 1 }'],
    ['an address that is not of this machine', 'http: { listen: "0.0.0.0:80", token_file: t }'],
    ['an unknown level of the log', 'log: { level: verbose }'],
  ];

  it.each(MISTAKES)('sees %s, as the loader does', (_what, text) => {
    expect(faults(parse(text))).not.toEqual([]);
    expect(parseConfig(text, 'test.yaml').ok).toBe(false);
  });
});
