// Recordings: what was recorded from a chip plays back as the same edges, and what a daemon reports as the same presses.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine, VirtualClock } from '../../kernel/index.js';
import { createSimulatedPi } from '../../sim-fallback/index.js';
import { formatConfigError } from '../config/errors.js';
import { parseConfig } from '../config/load.js';
import { loadScenario } from './load.js';
import { play } from './play.js';
import { over, recordChip } from './record.js';
import { type RecordedFrom, Recorder } from './recorder.js';
import { Simulation } from './simulation.js';

const loaded = parseConfig(
  'lines:\n  door: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 5ms }\n  meter: { gpio: 22, edge: both, bias: pull-down }\n',
  'test.yaml',
);
if (!loaded.ok) throw new Error('the configuration is wrong');
const { config } = loaded;
const FROM: RecordedFrom = { driver: 'sim', chip: 'gpiochip0', label: 'pinctrl-bcm2835', attached: false };
const START_NS = 7_000_000_000n;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-record-spec-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Plays a recording; the edges that come of it, with nothing debounced. */
async function edgesOf(text: string): Promise<string[]> {
  const path = join(directory, 'recorded.jsonl');
  writeFileSync(path, text);
  const result = loadScenario(path, config);
  if (!result.ok) throw new Error(result.errors.map(formatConfigError).join('\n'));
  const raw = { ...config, lines: config.lines.map((line) => ({ ...line, debounceNs: 0 })) };
  const simulation = await Simulation.start({ config: raw, configPath: '/test.yaml' });
  const edges: string[] = [];
  simulation.subscribe((event) => {
    if (event.type === 'edge') edges.push(`${event.atNs} ${event.line} ${event.edge}`);
  });
  await play(simulation, result.scenario);
  await simulation.end();
  return edges;
}

describe('a recording of a chip', () => {
  it('has every edge at its stamp, bounce that the configuration filters included', async () => {
    const clock = new VirtualClock();
    const machine = new Machine({ clock });
    const board = { buttons: { door: { gpio: 17 } }, pulls: [{ gpio: 22, pull: 'down' as const }] };
    const pi = createSimulatedPi({ machine, board, originNs: START_NS });
    let text = '';
    const recorder = new Recorder('test', FROM, (part) => {
      text += part;
    });
    clock.advance(1_000_000);
    const recording = recordChip(pi.chip, config.lines, START_NS + 1_000_000n, recorder);
    clock.advance(1_000_000);
    const seen: string[] = [];
    for (const [gpio, line, active] of [
      [17, 'door', 0],
      [22, 'meter', 1],
    ] as const) {
      let last = pi.board.level(gpio);
      pi.soc.gpio.onPad(gpio, (level) => {
        if (level === last) return;
        last = level;
        // Latched with the second tick of the core clock after the change.
        const at = Math.floor(clock.now() / 4) * 4 + 8 - 1_000_000;
        seen.push(`${at} ${line} ${level === active ? 'rising' : 'falling'}`);
      });
    }
    pi.board.press('door', { bounce: true, holdNs: 30_000_000 });
    clock.advance(3_000_000);
    pi.board.drive(22, 1);
    clock.advance(100_000_000);
    recording.stop();
    recorder.finish(new Map());
    expect(recording.lost).toBe(0);
    expect(recorder.steps).toBe(seen.length + 2);
    const again = await edgesOf(text);
    // A level from the stamp on is seen two ticks later.
    const shifted = seen.map((edge) => edge.replace(/^\d+/, (at) => String(Number(at) + 8)));
    expect(again).toEqual(shifted);
  });
});

describe('Recorder', () => {
  it('writes nothing before there is something to record, and then its header first', () => {
    let text = '';
    const recorder = new Recorder('r', FROM, (more) => {
      text += more;
    });
    expect(text).toBe('');
    recorder.level(0, 'door', 0);
    expect(text.split('\n')).toEqual([
      JSON.stringify({ scenario: 1, name: 'r', recorded: FROM }),
      '{"at":"0ns","level":"door","value":0}',
      '',
    ]);
  });

  const record = (calls: (recorder: Recorder) => void): { at: number; line: string; value: number }[] => {
    let text = '';
    calls(new Recorder('test', FROM, (part) => (text += part)));
    return text
      .trim()
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { at: string; level: string; value: number })
      .map(({ at, level, value }) => ({ at: Number.parseInt(at, 10), line: level, value }));
  };

  it('lets a line with one kind of edges go back in between, at the right place among the others', () => {
    const steps = record((recorder) => {
      recorder.only(100e6, 'a', 1);
      recorder.level(105e6, 'b', 1);
      recorder.only(120e6, 'a', 1);
      recorder.only(400e6, 'a', 1);
      recorder.finish(new Map([['a', 1]]));
    });
    expect(steps.map(({ at, line, value }) => `${at / 1e6} ${line}=${value}`)).toEqual([
      '100 a=1',
      '105 b=1',
      '110 a=0',
      '120 a=1',
      '170 a=0',
      '400 a=1',
      '450 a=0',
    ]);
  });

  it('writes in the order of time, and leaves nothing out', () => {
    const calls = fc.array(fc.tuple(fc.nat(200_000_000), fc.constantFrom('a', 'b', 'c'), fc.boolean()), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(calls, (list) => {
        let now = 0;
        let only = 0;
        const steps = record((recorder) => {
          for (const [step, line, rising] of list) {
            now += step;
            if (line === 'a') {
              only++;
              recorder.only(now, line, 1);
            } else recorder.level(now, line, rising ? 1 : 0);
          }
          recorder.finish(new Map([['a', 1]]));
        });
        expect(steps.length).toBe(list.length + only);
        expect(steps.every(({ at }, i) => i === 0 || at >= (steps[i - 1]?.at ?? 0))).toBe(true);
        const ups = steps.filter(({ line }) => line === 'a').map(({ value }) => value);
        expect(ups).toEqual(ups.map((_, i) => (i % 2 === 0 ? 1 : 0)));
      }),
    );
  });
});

it('goes on until a signal where it is to last for longer than timers of Node do', async () => {
  let signal = (_: string): void => {};
  const onSignal = (listener: (signal: string) => void) => {
    signal = listener;
    return () => {};
  };
  const { done, forget } = over({ onSignal }, 2 ** 31 * 1e6);
  expect(await Promise.race([done.then(() => 'over'), setTimeout(5, 'goes on')])).toBe('goes on');
  signal('SIGINT');
  await done;
  forget();
});
