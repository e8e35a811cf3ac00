import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { casesOf, document, machineOptions, table, unusedRecordings } from './harness.js';
import { parseRecording } from './recording.js';

const RUN = fileURLToPath(new URL('./run.mjs', import.meta.url));

const META = '{"meta": {"scenario": "x", "cpus": 1, "identical_in_all_runs": true}}';
const EVENT = '{"i": 0, "cpu": 0, "ctx": "task", "irqs_off": 0, "pc": [0, 0, 0], "comm": "oracle", "ev": "hello"}';

let directory: string;

function put(file: string, ...lines: string[]): void {
  mkdirSync(join(directory, file, '..'), { recursive: true });
  writeFileSync(join(directory, file), `${lines.join('\n')}\n`);
}

function run(...directories: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [RUN, ...directories], { encoding: 'utf8', cwd: tmpdir() });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'conformance-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('the scenarios of a directory', () => {
  it('go with all recordings of their name, beside them or in recordings/', () => {
    put('a.ts');
    put('b.js');
    put('_helper.ts');
    put('a.jsonl');
    put('recordings/a.hz100.jsonl');
    put('recordings/b.jsonl');
    put('recordings/ab.jsonl');
    expect(casesOf(directory).map(({ name }) => name)).toEqual(['a', 'a.hz100', 'b']);
    expect(unusedRecordings(directory)).toEqual(['ab']);
  });

  it('leave out what the directory says it cannot express', () => {
    put('a.ts');
    put('a.jsonl');
    put('a.threadirqs.jsonl');
    put('not-expressed.json', '{"a.threadirqs": "forced threading"}');
    expect(casesOf(directory).map(({ name }) => name)).toEqual(['a']);
    expect(unusedRecordings(directory)).toEqual([]);
  });

  it('are missed where there are none, and so are their recordings', () => {
    expect(() => casesOf(directory)).toThrow('has no scenarios');
    put('a.ts');
    expect(() => casesOf(directory)).toThrow('no recording a.jsonl');
  });
});

describe('a machine', () => {
  it.each([
    ['x', 'full', { cpus: 1, lockdep: false }],
    ['x.hz1000', 'full', { cpus: 1, lockdep: false, hz: 1000 }],
    ['x.lockdep', 'lockdep', { cpus: 1, lockdep: true }],
    ['x.threadirqs', 'full', { cpus: 1, lockdep: false, threadirqs: true }],
    ['x.preempt-none', 'full', { cpus: 1, lockdep: false, preempt: 'none' }],
    ['x.irqpoll', 'full', { cpus: 1, lockdep: false, irqfixup: 2 }],
  ])('is made as for recording %s, %s', (scenario, config, options) => {
    const meta = JSON.stringify({ meta: { scenario, config, cpus: 1, identical_in_all_runs: true } });
    const recorded = { arch: 'x86' };
    expect(machineOptions(parseRecording(meta, 'x'))).toEqual({ ...recorded, ...options });
  });
});

describe('results', () => {
  const results = [
    { name: 'a', compared: 3, outcome: 'equal' },
    { name: 'bb', compared: 40, outcome: 'parts', diff: 'event 1: values' },
  ] as const;

  it('are a table, behind the places where they part', () => {
    expect(table(results)).toBe(
      [
        'bb: - recorded, + model',
        'event 1: values',
        '',
        '= a            3 entries  equal',
        '≠ bb          40 entries  parts',
        '',
        '1 of 2 equal',
        '',
      ].join('\n'),
    );
  });

  it('are a document, with reasons', () => {
    const text = document(results, { z: 'no z', y: 'no y' });
    expect(text).toContain('**1 of 2 recordings are equal**; 2 more are not expressed yet');
    expect(text).toContain('| bb | 40 | parts |');
    expect(text).toMatch(/\| y \| no y \|\n\| z \| no z \|\n$/);
  });
});

describe('npm run conformance DIR', () => {
  const PROGRAM = "import { Oracle } from 'gpio-irqd/conformance';\nimport { current } from 'gpio-irqd';";

  it('runs TypeScript and JavaScript of a directory outside of the project, on the one model', () => {
    put(
      'a.ts',
      PROGRAM,
      "export default function* (o: Oracle) { if (o instanceof Oracle) o.log('hello'); current(); }",
    );
    put('b.js', PROGRAM, "export default function* (o) { if (o instanceof Oracle) o.log('hello'); current(); }");
    for (const name of ['a', 'b']) put(`${name}.jsonl`, META, EVENT);
    const { status, stdout, stderr } = run(directory);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/\n2 of 2 equal\n$/),
      stderr: '',
    });
  });

  it('makes the machine with the options that a scenario exports', () => {
    const program = "export default function* (o) { if (o.machine.threadirqs) o.log('hello'); }";
    put('a.js', 'export const options = { threadirqs: true };', program);
    put('a.jsonl', META, EVENT);
    expect(run(directory).status).toBe(0);
  });

  it('exits 1 with the place where one parts, or fails', () => {
    put('a.js', "export default function* (o) { o.log('bye'); }");
    put('b.js', "export default function* () { throw new Error('broken'); }");
    put('a.jsonl', META, EVENT);
    put('b.jsonl', META, EVENT);
    const { status, stdout } = run(directory);
    expect(status).toBe(1);
    expect(stdout).toContain(
      'event 0: event\n  - cpu0 task    [0 0 0] oracle: hello\n  + cpu0 task    [0 0 0] oracle: bye',
    );
    expect(stdout).toContain('the scenario failed: exception in task oracle/2: Error: broken');
    expect(stdout).toMatch(/\n0 of 2 equal\n$/);
  });

  it('exits 2 for a file that is no scenario', () => {
    put('a.js', 'export const x = 1;');
    put('a.jsonl', META);
    const { status, stderr } = run(directory);
    expect([status, stderr]).toEqual([2, expect.stringContaining('a.js: exports no program')]);
  });
});
