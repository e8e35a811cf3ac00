// Reading configuration files: what a right one becomes, which files can be read, and that nothing crashes the reader.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Config } from './config.js';
import { CONFIG_ERRORS, formatConfigError } from './errors.js';
import { type ConfigResult, loadConfig, MAX_FILE_BYTES, parseConfig } from './load.js';

const LINES = `lines:
  button1: { gpio: 17, edge: rising }
  led1: { gpio: 4, direction: out }
`;
const interrupt = (body: string): string => `${LINES}interrupts:\n  - line: button1\n    ${body}\n`;

describe('a right configuration', () => {
  const good = (text: string, file = 'test.yaml'): Config => {
    const result: ConfigResult = parseConfig(text, file);
    if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
    return result.config;
  };

  it('has the documented defaults', () => {
    expect(good('lines: { b: { gpio: 17 } }')).toEqual({
      driver: 'auto',
      chip: { by: 'auto' },
      lines: [
        {
          name: 'b',
          gpio: 17,
          direction: 'in',
          edge: 'none',
          bias: 'as-is',
          drive: 'push-pull',
          activeLow: false,
          debounceNs: 0,
          initial: 0,
        },
      ],
      interrupts: [],
      workqueues: [],
      chips: [],
      chords: [],
      triggers: [],
      eventBuffer: 1024,
      eventClock: 'monotonic',
      log: { level: 'info', format: 'auto' },
    });
  });

  it('guards each line with edges by its own limits, or by those of the file, or, with a rate of 0, not at all', () => {
    const text = [
      'storm_guard: { rate: 5000, window: 50ms, backoff: 10ms, max_backoff: 1s }',
      'lines:',
      '  a: { gpio: 1, edge: both }',
      '  b: { gpio: 2, edge: both, storm_guard: { rate: 20 } }',
      '  c: { gpio: 3, edge: both, storm_guard: { rate: 0 } }',
      '  d: { gpio: 4 }',
      '  e: { gpio: 5, direction: out }',
    ].join('\n');
    expect(good(text).lines.map(({ stormGuard }) => stormGuard)).toEqual([
      { ratePerSec: 5000, windowNs: 50e6, backoffNs: 10e6, maxBackoffNs: 1e9 },
      { ratePerSec: 20 },
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('lets an output keep the level that it has', () => {
    const text = 'lines: { l: { gpio: 4, direction: out, initial: keep }, m: { gpio: 5, direction: out, initial: 1 } }';
    expect(good(text).lines.map(({ initial }) => initial)).toEqual(['keep', 1]);
  });

  it('is frozen to the bottom', () => {
    const config = good(interrupt('work: { do: [ { exec: [/bin/echo, "{line}"] } ] }'));
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
  });

  it('chooses chips by kernel name and by label, with their own range of lines', () => {
    const lines = 'lines: { b: { gpio: 1023 } }';
    expect(good(`chip: gpiochip4\n${lines}`).chip).toEqual({ by: 'name', name: 'gpiochip4' });
    expect(good(`chip: label:gpio-sim.0-node0\n${lines}`).chip).toEqual({ by: 'label', label: 'gpio-sim.0-node0' });
    expect(parseConfig(`chip: label:pinctrl-rp1\n${lines}`, 'f').ok).toBe(false);
  });

  it('takes work as one item or as a list', () => {
    const one = good(interrupt('work: { do: [ { toggle: led1 } ] }')).interrupts[0]?.work;
    expect(one).toEqual([{ queue: 'system_wq', actions: [{ kind: 'toggle', line: 'led1' }] }]);
    expect(good(interrupt('work: [ { do: [ { toggle: led1 } ] } ]')).interrupts[0]?.work).toEqual(one);
  });

  it('may repeat itself with anchors and aliases', () => {
    const text = 'lines:\n  a: { gpio: 1, debounce: &d 5ms }\n  b: { gpio: 2, debounce: *d }\n';
    expect(good(text).lines.map((l) => l.debounceNs)).toEqual([5e6, 5e6]);
  });

  it('is what the example file is', () => {
    const result = loadConfig('examples/button-led.yaml');
    if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
    const { config } = result;
    expect(config.driver).toBe('auto');
    expect(config.lines.map((l) => [l.name, l.gpio, l.direction, l.edge, l.bias, l.activeLow])).toEqual([
      ['button1', 17, 'in', 'rising', 'pull-up', true],
      ['button2', 18, 'in', 'rising', 'pull-up', true],
      ['led1', 4, 'out', 'none', 'as-is', false],
    ]);
    expect(config.interrupts.map((i) => [i.name, i.topHalf])).toEqual([
      ['gpiomod#button1', [{ kind: 'set', line: 'led1', value: 1 }]],
      ['gpiomod#button2', [{ kind: 'set', line: 'led1', value: 0 }]],
    ]);
    expect(config.workqueues).toEqual([
      { name: 'slow', flags: ['unbound'], maxActive: 2, memoryMax: 64 * 1024 * 1024 },
    ]);
  });
});

describe('a configuration file', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const codeOf = (path: string): string => {
    const result = loadConfig(path);
    return result.ok ? 'ok' : `${result.errors[0]?.code} ${result.errors[0]?.message}`;
  };
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };

  it('that cannot be read says why', () => {
    expect(codeOf(join(directory, 'missing.yaml'))).toBe('CONFIG_FILE no such file');
    expect(codeOf(directory)).toBe('CONFIG_FILE it is a directory');
    expect(codeOf('/dev/null')).toBe('CONFIG_FILE it is not a regular file');
    expect(codeOf(join(file('plain', 'x'), 'y'))).toBe('CONFIG_FILE part of the path is not a directory');
    expect(codeOf('a\0b')).toMatch(/^CONFIG_FILE it cannot be read/);
    symlinkSync('loop', join(directory, 'loop'));
    expect(codeOf(join(directory, 'loop'))).toBe('CONFIG_FILE too many symbolic links');
  });

  it('may be 1 MiB and no more', () => {
    const head = '#'.repeat(1023);
    const lines = 'lines: { b: { gpio: 1 } }\n';
    const full = `${`${head}\n`.repeat(1024)}`.slice(0, MAX_FILE_BYTES - lines.length) + lines;
    expect(codeOf(file('full.yaml', full.replace(/#lines/, '\nlines')))).toBe('ok');
    expect(codeOf(file('large.yaml', `${full} `))).toBe('CONFIG_LIMIT it is larger than 1 MiB');
  });

  it('must be UTF-8; a byte order mark is fine', () => {
    expect(codeOf(file('latin1.yaml', Uint8Array.of(0x6c, 0xe9, 0x0a)))).toBe('CONFIG_FILE it is not UTF-8 text');
    expect(codeOf(file('bom.yaml', '\ufefflines: { b: { gpio: 1 } }'))).toBe('ok');
  });

  it('finds its handlers beside itself', () => {
    mkdirSync(join(directory, 'handlers'));
    const handler = file('handlers/b.js', '');
    const result = loadConfig(file('h.yaml', interrupt('handler: ./handlers/b.js')));
    expect(result.ok && result.config.interrupts[0]?.handler).toBe(handler);
  });
});

describe('any text at all', () => {
  const acceptable = (text: string): void => {
    const result = parseConfig(text, 'any.yaml');
    if (result.ok) return;
    expect(result.errors.length).toBeGreaterThan(0);
    for (const error of result.errors) {
      expect(Object.hasOwn(CONFIG_ERRORS, error.code)).toBe(true);
      expect(error.line).toBeGreaterThan(0);
      expect(error.column).toBeGreaterThan(0);
      expect(error.line).toBeLessThanOrEqual(text.split(/\r\n|\n|\r/).length);
    }
  };

  it('is a configuration or a list of errors', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), acceptable), { numRuns: 500 });
  });

  it('made of YAML’s own characters is too', () => {
    const unit = fc.constantFrom(...'abc:-[]{},&*!|>\'"%@`#?\n\t 01\\~<=', 'lines', '\n  ', ': ', '- ');
    fc.assert(fc.property(fc.string({ unit, maxLength: 120 }), acceptable), { numRuns: 1000 });
  });

  it('of the right keys and any values is too', () => {
    const any = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('led1', 'button1', 'rising', '5ms', 0, 1, 17));
    const record = (...keys: string[]) =>
      fc.dictionary(
        fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: fc.string() }),
        any,
      );
    const line = record('gpio', 'direction', 'edge', 'bias', 'active', 'debounce', 'initial', 'drive', 'storm_guard');
    const action = record('set', 'value', 'toggle', 'log', 'exec', 'module', 'timeout');
    const actions = fc.oneof(fc.array(action, { maxLength: 2 }), any);
    const work = fc.record({ queue: any, do: actions }, { requiredKeys: [] });
    const entry = fc.record(
      {
        line: any,
        name: any,
        top_half: actions,
        thread: actions,
        work: fc.oneof(work, fc.array(work), any),
        handler: any,
      },
      { requiredKeys: [] },
    );
    const root = fc.record({
      lines: fc.dictionary(fc.constantFrom('led1', 'button1', '__proto__', 'constructor'), fc.oneof(line, any)),
      interrupts: fc.array(fc.oneof(entry, any), { maxLength: 3 }),
      workqueues: fc.dictionary(fc.string(), any),
    });
    fc.assert(
      fc.property(root, fc.boolean(), (value, json) => acceptable(json ? JSON.stringify(value) : stringify(value))),
      { numRuns: 500 },
    );
  });
});
