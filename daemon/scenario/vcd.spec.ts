// Captures as scenarios and back: `gpio-irqd replay capture.vcd` and `--vcd`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatConfigError } from '../config/errors.js';
import { parseConfig } from '../config/load.js';
import { loadScenario, type Scenario } from './load.js';
import { play } from './play.js';
import { Simulation } from './simulation.js';
import { dumpLevels } from './vcd-dump.js';

const { parse } = createRequire(import.meta.url)('vcd-parser') as {
  parse(text: string): Promise<{ signal: { signalName: string; wave: [string, string][] }[] }>;
};

const loaded = parseConfig(
  'lines:\n  door: { gpio: 17, edge: both, bias: pull-up, active: low }\n  relay: { gpio: 4, direction: out }\n' +
    'interrupts: [{ line: door, top_half: [{ toggle: relay }] }]\n',
  'test.yaml',
);
if (!loaded.ok) throw new Error('the configuration is wrong');
const { config } = loaded;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-vcd-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function loadedFrom(path: string, map?: ReadonlyMap<string, string>): Scenario {
  const result = loadScenario(path, config, map);
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  return result.scenario;
}

/** Plays a scenario; what the wire of the door did, the dump, and the edges as the daemon saw them. */
async function played(scenario: Scenario): Promise<{ dump: string; edges: string[] }> {
  const simulation = await Simulation.start({ config, configPath: '/test.yaml' });
  const edges: string[] = [];
  let dump = '';
  simulation.subscribe((event) => {
    if (event.type === 'edge') edges.push(`${event.atNs} ${event.edge}`);
  });
  const vcd = dumpLevels(simulation, config, (text) => {
    dump += text;
  });
  await play(simulation, scenario);
  vcd.finish();
  await simulation.end();
  return { dump, edges };
}

describe('a capture', () => {
  const CAPTURE =
    '$timescale 1 us $end\n$scope module libsigrok $end\n$var wire 1 ! D0 $end\n$var wire 1 " D1 $end\n$upscope $end\n' +
    '$enddefinitions $end\n#0 1! 0"\n#1000 0!\n#81000 1!\n#90000 0"\n';

  it('has the electrical levels of lines: a low wire of an active-low line is a press', async () => {
    const scenario = loadedFrom(file('a.vcd', CAPTURE), new Map([['D0', 'door']]));
    const { edges, dump } = await played(scenario);
    expect(edges).toEqual(['1000008 rising', '81000008 falling']);
    const { signal } = await parse(dump);
    expect(signal.map(({ signalName }) => signalName)).toEqual(['door', 'relay']);
    expect(signal[0]?.wave).toEqual([
      ['0', '1'],
      ['1000000', '0'],
      ['81000000', '1'],
    ]);
    expect(signal[1]?.wave).toEqual([
      ['0', '0'],
      ['1000008', '1'],
      ['81000008', '0'],
    ]);
  });

  it('that was dumped from a replay gives the same edges and the same dump again', async () => {
    const path = file(
      'b.yaml',
      'scenario: 1\nseed: 5\nsteps:\n  - { at: 5ms, press: door, hold: 40ms, bounce: true }\nend: 1s\n',
    );
    const first = await played(loadedFrom(path));
    expect(first.edges.length).toBeGreaterThan(4);
    const scenario = { ...loadedFrom(file('b.vcd', first.dump)), endNs: 1e9 };
    const again = await played(scenario);
    expect(again.edges).toEqual(first.edges);
    expect(again.dump).toBe(first.dump);
  });

  it.runIf(spawnSync('sigrok-cli', ['--version']).status === 0)(
    'that was dumped from a replay is the same to sigrok, edge by edge, and what sigrok makes of it to a replay',
    { timeout: 60_000 },
    async () => {
      const path = file(
        's.yaml',
        'scenario: 1\nseed: 7\nsteps:\n  - { at: 2ms, press: door, hold: 8ms, bounce: true }\nend: 20ms\n',
      );
      const first = await played(loadedFrom(path));
      expect(first.edges.length).toBeGreaterThan(4);
      const dumped = file('s.vcd', first.dump);
      const [out, channels] = [join(directory, 'sigrok.vcd'), ['-I', 'vcd', '-i', dumped]];
      const shown = execFileSync('sigrok-cli', [...channels, '--show'], { encoding: 'utf8' });
      expect(shown).toMatch(/^Samplerate: 1000000000\nChannels: 2\n- door: logic\n- relay: logic\n/);
      execFileSync('sigrok-cli', [...channels, '-O', 'vcd', '-o', out]);
      // From a file, its programs put the rate before the dump.
      writeFileSync(out, readFileSync(out, 'utf8').replace(/^META .*\n/, ''));
      const again = await played({ ...loadedFrom(out), endNs: 20e6 });
      expect(again.edges).toEqual(first.edges);
      expect(again.dump).toBe(first.dump);
    },
  );

  it('says which signals there are when none is a line, or when one is not there', () => {
    const path = file('c.vcd', CAPTURE);
    const said = (map?: ReadonlyMap<string, string>): string => {
      const result = loadScenario(path, config, map);
      return result.ok ? 'ok' : result.errors.map(formatConfigError).join('\n');
    };
    expect(said()).toBe(
      `${path}:1:1: no signal has the name of a line; the signals are D0, D1; say which is which line: --map D0=LINE`,
    );
    expect(said(new Map([['D7', 'door']]))).toBe(`${path}:1:1: no signal 'D7'; there are D0, D1`);
    expect(said(new Map([['D1', 'dor']]))).toMatch(/^.*:1:1: --map D1=dor: no such line; there are door/);
    const twice = new Map([
      ['D0', 'door'],
      ['D1', 'door'],
    ]);
    expect(said(twice)).toBe(`${path}:1:1: two signals are to be door; take one of them away`);
    expect(said(new Map([['D1', 'door']]))).toBe('ok');
  });

  it('with two names for one wire moves both lines, and leaves outputs to the daemon', () => {
    const two = parseConfig(
      'lines: { a: { gpio: 5 }, b: { gpio: 6, active: low }, relay: { gpio: 4, direction: out } }',
      't.yaml',
    );
    if (!two.ok) throw new Error('the configuration is wrong');
    const signals = ['! a', '! b', '" relay', '# GPIO4'].map((signal) => `$var wire 1 ${signal} $end\n`).join('');
    const path = file('two.vcd', `$timescale 1 us $end\n${signals}$enddefinitions $end\n#3\n1!\n1"\n1#\n`);
    const stepsOf = (map?: ReadonlyMap<string, string>): unknown[] => {
      const result = loadScenario(path, two.config, map);
      if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
      return [...result.scenario.steps].map(({ atNs, action }) => [atNs, action]);
    };
    const inputs = [
      [3_000, { kind: 'level', line: 'a', value: 1 }],
      [3_000, { kind: 'level', line: 'b', value: 0 }],
    ];
    expect(stepsOf()).toEqual(inputs);
    expect(stepsOf(new Map([['relay', 'relay']]))).toEqual([
      ...inputs,
      [3_000, { kind: 'level', line: 'relay', value: 1 }],
    ]);
  });

  it('that is damaged is told with the line', () => {
    const result = loadScenario(file('d.vcd', `${CAPTURE}#95000 1%\n`), config, new Map([['D0', 'door']]));
    expect(result.ok || result.errors.map(formatConfigError)).toEqual([
      `${join(directory, 'd.vcd')}:11:1: a change of "%", which is no signal; the header has no $var for it`,
    ]);
  });

  it('that is not text, or not there, is told', () => {
    writeFileSync(join(directory, 'e.vcd'), new Uint8Array([0xff, 0xfe, 0x00, 0x0a]));
    const said = (name: string): string => {
      const result = loadScenario(join(directory, name), config);
      return result.ok ? 'ok' : (result.errors[0]?.message ?? '');
    };
    expect(said('e.vcd')).toBe('it is not UTF-8 text');
    expect(said('none.vcd')).toBe('no such file');
  });
});
