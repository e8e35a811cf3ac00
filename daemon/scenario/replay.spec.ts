// Replays: the shipped scenarios give the same bytes at every run and on every Node, and the command says what is not as expected.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, irqd, NO_PARTS } from '../stage.spec-helper.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const SCENARIOS = join(EXAMPLES, 'scenarios');
/** `HASH  NAME DETAIL`: traces as every Node has to make them. `UPDATE_TRACES=1 npx vitest run replay.spec` writes it anew. */
const SUMS = fileURLToPath(new URL('replay.sha256', import.meta.url));
const RUNS = 3;
const PATIENT = 300_000;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-replay-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The command as a user calls it. */
const replay = (...args: string[]): Promise<Answer> => irqd(NO_PARTS, 'replay', ...args);

function configOf(scenario: string): string {
  if (/^(led-|both-)/.test(scenario)) return join(EXAMPLES, 'button-led.yaml');
  if (scenario.startsWith('doorbell')) return join(EXAMPLES, 'doorbell.yaml');
  return join(SCENARIOS, scenario.startsWith('handler') ? 'handlers.yaml' : 'counter.yaml');
}

const scenarios = readdirSync(SCENARIOS).filter((name) => /\.scenario\./.test(name));

describe('the same bytes', () => {
  const sums = new Map<string, string>();
  const expected = new Map(
    readFileSync(SUMS, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [sum = '', ...name] = line.split(/ +/);
        return [name.join(' '), sum] as const;
      }),
  );

  it('are proven with at least 20 scenarios', () => expect(scenarios.length).toBeGreaterThanOrEqual(20));

  it.each(scenarios)(
    '%s: three runs give the trace that is on record',
    async (scenario) => {
      for (const detail of ['events', 'contexts']) {
        const runs = new Set<string>();
        for (let run = 0; run < RUNS; run++) {
          const trace = join(directory, `${scenario}.${run}`);
          const file = join(SCENARIOS, scenario);
          const { code, output, errors } = await replay(
            file,
            '--config',
            configOf(scenario),
            '--trace',
            trace,
            '--detail',
            detail,
          );
          expect(`${code} ${output}${errors}`).toMatch(/^0 .*: \d+ steps? in /);
          runs.add(createHash('sha256').update(readFileSync(trace)).digest('hex'));
        }
        expect(runs.size).toBe(1);
        sums.set(`${scenario} ${detail}`, [...runs].join());
      }
      if (process.env.UPDATE_TRACES !== undefined) return;
      for (const detail of ['events', 'contexts']) {
        const name = `${scenario} ${detail}`;
        expect(sums.get(name), `${name}: if that is meant, UPDATE_TRACES=1 npx vitest run replay.spec`).toBe(
          expected.get(name),
        );
      }
    },
    PATIENT,
  );

  afterAll(() => {
    if (process.env.UPDATE_TRACES === undefined) return;
    const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => `${sum}  ${name}\n`);
    writeFileSync(SUMS, lines.join(''));
  });
});

describe('gpio-irqd replay', () => {
  const config = join(SCENARIOS, 'counter.yaml');
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  it('says where an expectation is not met, and ends with 1', async () => {
    const path = file(
      'unmet.yaml',
      'scenario: 1\nsteps:\n  - { at: 1ms, press: door }\n  - { at: 2ms, expect: door, value: 0, rising: 2 }\n',
    );
    expect(await replay(path, '--config', config)).toEqual({
      code: 1,
      output:
        `${path}:4:5: at 2ms: door: value is 1, expected 0\n${path}:4:5: at 2ms: door: rising is 1, expected 2\n` +
        'unmet.yaml: 2 steps in 1.002s, 0 of 1 expectation met\n',
      errors: '',
    });
  });

  it('shows where the trace is not the expected one, and what stands before', async () => {
    const one = file('one.yaml', 'scenario: 1\nname: a\nsteps:\n  - { at: 1ms, press: door, hold: 9ms }\nend: 1s\n');
    const two = file('two.yaml', 'scenario: 1\nname: a\nsteps:\n  - { at: 1ms, press: door, hold: 8ms }\nend: 1s\n');
    const trace = join(directory, 'one.trace');
    expect((await replay(one, '--config', config, '--trace', trace, '--detail', 'events')).code).toBe(0);
    expect((await replay(one, '--config', config, '--expect', trace)).output).toBe(
      'a: 1 step in 1s, the trace is as expected\n',
    );
    const { code, output } = await replay(two, '--config', config, '--expect', trace);
    expect(code).toBe(1);
    expect(output).toBe(
      [
        '@@ line 5 of the expected trace, line 5 of this one',
        '  {"ns":1000008,"event":"edge","line":"door","edge":"rising","lineSeqno":1}',
        '  {"ns":1000008,"event":"value","line":"relay","value":1}',
        '  {"ns":1000008,"event":"log","interrupt":"door","text":"door rising (1) after -"}',
        '- {"ns":10000008,"event":"edge","line":"door","edge":"falling","lineSeqno":2}',
        '- {"ns":10000008,"event":"value","line":"relay","value":0}',
        '- {"ns":10000008,"event":"log","interrupt":"door","text":"door falling (0) after 9ms"}',
        '+ {"ns":9000008,"event":"edge","line":"door","edge":"falling","lineSeqno":2}',
        '+ {"ns":9000008,"event":"value","line":"relay","value":0}',
        '+ {"ns":9000008,"event":"log","interrupt":"door","text":"door falling (0) after 8ms"}',
        '1 difference (- expected, + got)',
        'a: 1 step in 1s, the trace differs',
        '',
      ].join('\n'),
    );
  });

  it('ends with 2 and the places of all mistakes in a scenario', async () => {
    const path = file('wrong.yaml', 'scenario: 1\nsteps:\n  - { at: 1ms, pres: door }\n  - { at: 2, press: dor }\n');
    const { code, errors } = await replay(path, '--config', config);
    expect(code).toBe(2);
    expect(errors).toBe(
      [
        `${path}:3:16: steps[0].pres: unknown key; did you mean press? (one of at, press, release, level, fault, expect, expect_log, expect_exec, expect_http, expect_publish, hook, message, payload, hold, bounce, value, line, width, rate, for, by, count, rising, falling, lost, dropped, repeat)`,
        `${path}:4:11: steps[1].at: 2 is not a duration; write a number with its unit: 5ms, 200us, 2s`,
        '',
      ].join('\n'),
    );
  });

  it('refuses a press of a button that is pressed, at its step', async () => {
    const path = file(
      'twice.yaml',
      'scenario: 1\nsteps:\n  - { at: 1ms, press: door }\n  - { at: 2ms, press: door }\n',
    );
    const { code, errors } = await replay(path, '--config', config);
    expect(code).toBe(1);
    expect(errors).toContain(`${path}:4:5: door is pressed already (EBUSY)`);
  });

  it('writes over nothing that it reads, and no output over the other', async () => {
    const path = file('kept.yaml', 'scenario: 1\n');
    const trace = join(directory, 'kept.jsonl');
    expect((await replay(path, '--config', config, '--trace', trace)).code).toBe(0);
    for (const args of [
      ['--trace', path],
      ['--vcd', config],
      ['--expect', trace, '--trace', join(directory, '.', 'kept.jsonl')],
      ['--trace', `${trace}.new`, '--vcd', `${trace}.new`],
    ]) {
      const { code, errors } = await replay(path, '--config', config, ...args);
      expect([code, errors]).toEqual([2, expect.stringMatching(/: it would be written over; name another file\n$/)]);
    }
    expect(readFileSync(path, 'utf8')).toBe('scenario: 1\n');
    expect((await replay(path, '--config', config, '--trace', '/dev/null', '--vcd', '/dev/null')).code).toBe(0);
  });

  it('says that a file to compare with is no trace', async () => {
    const path = file('empty.yaml', 'scenario: 1\n');
    const wrong = await replay(path, '--config', config, '--expect', path);
    expect([wrong.code, wrong.errors]).toEqual([2, expect.stringContaining('is no trace (EINVAL)')]);
    const nowhere = join(directory, 'none', 'out.vcd');
    expect((await replay(path, '--config', config, '--vcd', nowhere)).code).toBe(2);
    expect((await replay(path, '--config', config, '--expect', `${path}.none`)).errors).toContain('no such file');
    const long = file('long.trace', `{"trace":1,"scenario":"empty.yaml","detail":"events"}\n${'x'.repeat(300_000)}`);
    expect((await replay(path, '--config', config, '--expect', long)).errors).toContain(
      `${long}:2: the line is too long (EINVAL)`,
    );
  });

  it('ends with 1 when a handler fails', async () => {
    const handler = file(
      'bad.mjs',
      'export function topHalf(irq, dev) { dev.kernel.msleep(1); throw new Error("broken"); }\n',
    );
    const bad = file(
      'bad.yaml',
      `lines: { b: { gpio: 17, edge: rising } }\ninterrupts: [{ line: b, handler: ${handler} }]\n`,
    );
    const path = file('press-b.yaml', 'scenario: 1\nsteps:\n  - { at: 1ms, level: b, value: 1 }\n');
    const { code, output } = await replay(path, '--config', bad);
    expect(code).toBe(1);
    expect(output).toMatch(/^press-b.yaml: at 1000\d+ns: handler b of irq \d+: /);
    expect(output).toContain('1 handler error');
  });
});
