// Reading scenario files: what a right one becomes, what is said of a wrong one, and that nothing crashes the reader.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../sim-fallback/index.js';
import { CONFIG_ERRORS, formatConfigError } from '../config/errors.js';
import { parseConfig } from '../config/load.js';
import { loadScenario, parseScenario, type ScenarioResult } from './load.js';

const loaded = parseConfig(
  'lines:\n  door: { gpio: 17, edge: both }\n  bell: { gpio: 18, edge: rising }\n  relay: { gpio: 4, direction: out }\n',
  'test.yaml',
);
if (!loaded.ok) throw new Error('the configuration is wrong');
const { config } = loaded;
const MS = 1_000_000;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-load-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const yaml = (text: string): ScenarioResult => parseScenario(text, 'f.yaml', config);
const step = (text: string): ScenarioResult => yaml(`scenario: 1\nsteps:\n  - ${text}\n`);

function jsonl(...lines: string[]): ScenarioResult {
  const path = join(directory, 'f.jsonl');
  writeFileSync(path, lines.join('\n'));
  return loadScenario(path, config);
}

function stepsOf(result: ScenarioResult): Omit<Step, 'place'>[] {
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return [...result.scenario.steps].map(({ place: _, ...rest }) => rest);
}

function errorsOf(result: ScenarioResult): string[] {
  return result.ok ? [] : result.errors.map((error) => formatConfigError(error).replace(`${directory}/`, ''));
}

describe('a right scenario', () => {
  it('has the documented defaults', () => {
    const result = yaml('scenario: 1\n');
    if (!result.ok) throw new Error(errorsOf(result).join());
    const { name, seed, endNs, board } = result.scenario;
    expect({ name, seed, endNs, board }).toEqual({ name: 'f.yaml', seed: 1, endNs: undefined, board: undefined });
  });

  it('brings its steps in the order of time, with where they stand', () => {
    const result = yaml('scenario: 1\nsteps:\n  - { at: 2ms, press: door }\n  - { at: 1ms, release: door }\n');
    expect(result.ok && [...result.scenario.steps].map(({ place }) => place)).toEqual(['f.yaml:4:5', 'f.yaml:3:5']);
  });

  it.each<[string, Step['action']]>([
    ['press: door, hold: 5ms', { kind: 'press', line: 'door', holdNs: 5 * MS, bounce: undefined }],
    [
      'press: door, bounce: { count: 3, settle: 2ms, spacing: 0.1 }',
      { kind: 'press', line: 'door', holdNs: undefined, bounce: { maxBounces: 3, settleNs: 2 * MS, spacing: 0.1 } },
    ],
    ['release: door, bounce: true', { kind: 'release', line: 'door', bounce: true }],
    ['level: door, value: 1', { kind: 'level', line: 'door', value: 1 }],
    ['level: GPIO22, value: float', { kind: 'level', line: 'GPIO22', value: 'float' }],
    ['fault: bounce, line: door', { kind: 'fault', fault: { fault: 'bounce', line: 'door', bounce: {} } }],
    ['fault: glitch, line: door', { kind: 'fault', fault: { fault: 'glitch', line: 'door', widthNs: 1000 } }],
    [
      'fault: storm, line: door, rate: 100, for: 1s',
      { kind: 'fault', fault: { fault: 'storm', line: 'door', ratePerSec: 100, forNs: 1000 * MS } },
    ],
    [
      'fault: stuck, line: door, value: 1, for: 1s',
      { kind: 'fault', fault: { fault: 'stuck', line: 'door', value: 1, forNs: 1000 * MS } },
    ],
    ['fault: lost, line: door', { kind: 'fault', fault: { fault: 'lost', line: 'door', count: 1 } }],
    ['fault: late, by: 1ms, for: 1s', { kind: 'fault', fault: { fault: 'late', byNs: MS, forNs: 1000 * MS } }],
    ['fault: overflow, for: 1ms', { kind: 'fault', fault: { fault: 'overflow', forNs: MS } }],
    ['fault: unplug', { kind: 'fault', fault: { fault: 'unplug', forNs: undefined } }],
    ['expect: relay, value: 1', { kind: 'expect', expect: { line: 'relay', value: 1 } }],
    ['expect: door, rising: 1, lost: 0', { kind: 'expect', expect: { line: 'door', rising: 1, lost: 0 } }],
    ['expect_log: a, count: 2', { kind: 'expect-text', expect: { of: 'log', text: 'a', count: 2 } }],
    ['expect_exec: a', { kind: 'expect-text', expect: { of: 'exec', text: 'a', count: undefined } }],
    ['expect_http: a', { kind: 'expect-text', expect: { of: 'http', text: 'a', count: undefined } }],
    ['expect_publish: a', { kind: 'expect-text', expect: { of: 'publish', text: 'a', count: undefined } }],
    ['hook: ring, payload: a', { kind: 'hook', hook: 'ring', payload: 'a' }],
    ['message: a/b', { kind: 'message', topic: 'a/b', payload: '' }],
  ])('{ at: 1ms, %s }', (text, action) => {
    expect(stepsOf(step(`{ at: 1ms, ${text} }`))).toEqual([{ atNs: MS, action }]);
  });

  it('of lines is as one of YAML', () => {
    const steps = stepsOf(
      jsonl(
        '{"scenario":1,"name":"a"}',
        '{"at":"1ms","press":"door","repeat":{"every":"1s","count":3}}',
        '',
        '{"at":"1000001ns","level":"door","value":0}',
        '{"at":"2ms","expect":"door","value":0}',
      ),
    );
    expect(steps).toEqual([
      {
        atNs: MS,
        action: { kind: 'press', line: 'door', holdNs: undefined, bounce: undefined },
        repeat: { everyNs: 1e9, count: 3 },
      },
      { atNs: MS + 1, action: { kind: 'level', line: 'door', value: 0 } },
      { atNs: 2 * MS, action: { kind: 'expect', expect: { line: 'door', value: 0 } } },
    ]);
  });
});

describe('a wrong scenario', () => {
  it.each([
    ['', 'f.yaml:1:1: it is empty; write a mapping'],
    ['scenario: 2\n', 'f.yaml:1:11: scenario: 2 is not allowed here; write 1'],
    ['steps: []\n', 'f.yaml:1:1: scenario: it is empty; write 1'],
    [
      'scenario: 1\nsteps: { at: 1ms }\n',
      'f.yaml:2:8: steps: a mapping is not a list; write a list: each entry behind a dash',
    ],
    [
      'scenario: 1\nstep: []\n',
      'f.yaml:2:1: step: unknown key; did you mean steps? (one of scenario, name, seed, board, end, clock, steps, recorded)',
    ],
    [
      'scenario: 1\nboard: { buttons: { dor: {} } }\n',
      "f.yaml:2:21: board.buttons.dor: no line 'dor'; did you mean door?",
    ],
    [
      'scenario: 1\nboard: { wires: [{ from: relay, to: GPIO99 }] }\n',
      "f.yaml:2:37: board.wires[0].to: no line 'GPIO99'; there are door, bell, relay",
    ],
    ['scenario: [\n', 'f.yaml:2:1: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ])('%j', (text, message) => expect(errorsOf(yaml(text))[0]).toBe(message));

  it.each([
    ['{ press: door }', 'steps[0].at: nothing is not a duration; write a number with its unit: 5ms, 200us, 2s'],
    [
      '{ at: 1ms }',
      'steps[0]: the step does nothing; write one of press, release, level, fault, hook, message, expect, expect_log, expect_exec, expect_http, expect_publish',
    ],
    ['{ at: 1ms, press: door, release: door }', 'steps[0]: press and release in one step; write a step for each'],
    ['{ at: 1ms, press: relay }', "steps[0].press: no button 'relay'; there are door, bell"],
    ['{ at: 1ms, press: dor }', "steps[0].press: no button 'dor'; did you mean door?"],
    ['{ at: 1ms, press: door, value: 1 }', 'steps[0].value: value with press; with press goes hold, bounce'],
    ['{ at: 1ms, level: door }', "steps[0]: 'value' is missing; level needs value"],
    [
      '{ at: 1ms, fault: stuck, line: door, for: 1s }',
      "steps[0]: 'value' is missing; fault stuck needs line, value, for",
    ],
    [
      '{ at: 1ms, fault: stuk }',
      "steps[0].fault: 'stuk' is not allowed here; did you mean stuck? (one of bounce, glitch, storm, stuck, lost, late, overflow, unplug)",
    ],
    [
      '{ at: 1ms, expect: door }',
      'steps[0]: nothing is expected of the line; write one of value, rising, falling, lost, dropped',
    ],
    ['{ at: 1ms, expect: door, value: float }', "steps[0].value: 'float' is not allowed here; write 0 or 1"],
    ['{ at: 31d, press: door }', "steps[0].at: '31d' is not a duration; write a number with its unit: 5ms, 200us, 2s"],
    ['{ at: 2592001s, press: door }', "steps[0].at: '2592001s' is out of range; 0s to 720h"],
    ['{ at: 1ms, press: door, bounce: { count: 99 } }', 'steps[0].bounce.count: 99 is out of range; 32 at most'],
  ])('%s', (text, message) => {
    expect(errorsOf(step(text))[0]?.replace(/^f\.yaml:\d+:\d+: /, '')).toBe(message);
  });

  it('of lines is told with the line and the place on it, all mistakes at once', () => {
    expect(
      errorsOf(
        jsonl(
          '{"scenario":1}',
          '{"at":"1ms","pres":"door"}',
          'x',
          '[]',
          '{"at":"2ms","level":"dor","value":1}',
          '{"at":"2ms","press":"bell"}',
          '{"at":"1ms","press":"door"}',
        ),
      ),
    ).toEqual([
      expect.stringMatching(/^f\.jsonl:2:13: pres: unknown key; did you mean press\?/),
      'f.jsonl:3:1: the line is not JSON; write one object a line',
      'f.jsonl:4:1: a list is not a mapping; write a mapping',
      "f.jsonl:5:13: level: no line 'dor'; did you mean door?",
      'f.jsonl:7:1: the step is before the one on an earlier line; the lines of a JSONL file are in the order of their times',
    ]);
  });

  it.each([
    [[''], 'f.jsonl:1:1: the file is empty; its first line is {"scenario":1}'],
    [['{"at":"1ms","press":"door"}'], 'f.jsonl:1:1: scenario: it is empty; write 1'],
    [
      [`{"scenario":1,"name":"${'a'.repeat(100_000)}"}`],
      'f.jsonl:1:1: the line is too long; is it such a file at all?',
    ],
  ])('of lines: %j', (lines, message) => expect(errorsOf(jsonl(...lines))[0]).toBe(message));

  it('of YAML has 10,000 steps at most, with all that goes with them', () => {
    const steps = (count: number): string =>
      `scenario: 1\nsteps:\n${'  - { at: 1s, press: door, hold: 1ms, bounce: true }\n'.repeat(count)}`;
    expect(yaml(steps(10_000)).ok).toBe(true);
    expect(errorsOf(yaml(steps(10_001)))[0]).toMatch(/10000/);
  });

  it('that is no file is told', () => {
    expect(errorsOf(loadScenario(join(directory, 'none.jsonl'), config))).toEqual(['none.jsonl:1:1: no such file']);
    expect(errorsOf(loadScenario(directory, config))[0]).toContain('it is a directory');
    expect(errorsOf(loadScenario('/dev/zero', config))[0]).toContain('it is not a regular file');
  });
});

describe('any text at all', () => {
  /** Every finding has a code that is known, a place, and a message on one line. */
  function wellSaid(result: ScenarioResult): void {
    if (result.ok) return;
    expect(result.errors.length).toBeGreaterThan(0);
    for (const error of result.errors) {
      expect(CONFIG_ERRORS).toHaveProperty(error.code);
      expect(error.line).toBeGreaterThanOrEqual(1);
      expect(formatConfigError(error)).not.toContain('\n');
    }
  }
  const keys = fc.constantFrom(
    'at',
    'press',
    'level',
    'value',
    'fault',
    'line',
    'for',
    'repeat',
    'expect',
    'bounce',
    '__proto__',
  );
  const values = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('door', '1ms', 1, 'stuck', 'storm', true));
  const anyStep = fc.dictionary(keys, values, { maxKeys: 6 });

  it('is read or told of, as YAML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => wellSaid(yaml(text))),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 4 }), values, (steps, board) =>
        wellSaid(yaml(JSON.stringify({ scenario: 1, board, steps }))),
      ),
      { numRuns: 300 },
    );
  });

  it('is read or told of, as lines', () => {
    const line = fc.oneof(
      anyStep.map((value) => JSON.stringify(value)),
      fc.string(),
      fc.constant('{"at":"1ms","press":"door"}'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const result = jsonl('{"scenario":1}', ...lines);
        wellSaid(result);
        if (result.ok) for (const _ of result.scenario.steps);
      }),
      { numRuns: 200 },
    );
  });

  it('does not fill the memory: aliases that multiply, steps without number, lines without end', () => {
    const bomb = `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: &c [${'*b,'.repeat(50)}]\nsteps: [${'*c,'.repeat(50)}]\n`;
    expect(errorsOf(yaml(`scenario: 1\n${bomb}`))[0]).toContain('too many values');
    const many = `scenario: 1\nsteps:\n${'  - { at: 1s, press: door }\n'.repeat(10_001)}`;
    expect(errorsOf(yaml(many))[0]).toContain('it is too long; 10000');
  });
});
