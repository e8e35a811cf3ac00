// What a reload has to touch, and what it leaves alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from './config/config.js';
import { parseConfig } from './config/load.js';
import { keyInFile, moduleFiles, planReload, type ReloadPlan, referencesOf } from './reload-plan.js';

const BASE = `
lines:
  button1: { gpio: 17, edge: both }
  button2: { gpio: 18, edge: both }
  door: { gpio: 22, edge: rising }
  led1: { gpio: 4, direction: out }
  led2: { gpio: 5, direction: out }
interrupts:
  - { line: button1, thread: [{ toggle: led1 }] }
  - { line: button2, work: { queue: slow, do: [{ log: pressed }] } }
workqueues:
  slow: { max_active: 1 }
`;

function configOf(text: string): Config {
  const result = parseConfig(text, '/etc/gpio-irqd/config.yaml');
  if (!result.ok) expect.fail(result.errors.map(({ message }) => message).join());
  return result.config;
}

const base = configOf(BASE);
const plan = (...replace: [string, string][]): ReloadPlan =>
  planReload(base, configOf(replace.reduce((text, [from, to]) => text.replace(from, to), BASE)));
const touched = ({ freed, requested }: ReloadPlan): [string[], string[]] => [[...freed].sort(), [...requested].sort()];

describe('a plan', () => {
  it('touches nothing when nothing has changed, comments and order aside', () => {
    const same = plan(['lines:\n', '# the lines\nlines:\n']);
    expect(touched(same)).toEqual([[], []]);
    expect([same.moved.size, same.queuesEnded.size, same.chords, same.triggers, same.restart]).toEqual([
      ...[0, 0, false, false],
      [],
    ]);
  });

  it.each([
    ['the edge of a line', 'gpio: 22, edge: rising', 'gpio: 22, edge: both', ['door'], ['door'], []],
    ['its debounce, which is the kernel’s alone', 'edge: rising', 'edge: rising, debounce: 5ms', [], [], []],
    ['its bias', 'edge: rising', 'edge: rising, bias: pull-up', [], [], []],
    ['its storm guard', 'edge: rising', 'edge: rising, storm_guard: { rate: 100 }', ['door'], ['door'], []],
    ['a line that goes', '  door: { gpio: 22, edge: rising }\n', '', ['door'], [], ['door']],
    ['a line that comes', 'lines:\n', 'lines:\n  bell: { gpio: 6, edge: both }\n', [], ['bell'], []],
    ['an output that moves: whoever sets it begins anew', 'gpio: 4,', 'gpio: 6,', ['button1'], ['button1'], ['led1']],
    ['how an output starts', 'gpio: 4,', 'gpio: 4, initial: 1,', [], [], []],
    ['an action', 'toggle: led1', 'toggle: led2', ['button1'], ['button1'], []],
    [
      'an interrupt that moves to another line',
      'line: button1',
      'line: door',
      ['button1', 'door'],
      ['button1', 'door'],
      [],
    ],
    ['the queue of an interrupt', 'max_active: 1', 'max_active: 2', ['button2'], ['button2'], []],
    ['an input that becomes an output', 'gpio: 22, edge: rising', 'gpio: 22, direction: out', ['door'], [], ['door']],
  ])('for %s', (_, from, to, freed, requested, moved) => {
    const made = plan([from, to]);
    expect(touched(made)).toEqual([freed, requested]);
    expect([...made.moved]).toEqual(moved);
  });

  it('names what takes effect only at the next start, and goes on as it is until then', () => {
    const made = plan(['lines:\n', 'driver: chardev\nchip: gpiochip1\nevent_buffer: 64\nlines:\n']);
    expect(made.restart.map(({ key }) => key).sort()).toEqual(['chip', 'driver', 'event_buffer']);
    expect([made.config.driver, made.config.chip]).toEqual(['auto', { by: 'auto' }]);
    expect(made.config.eventBuffer).toBe(base.eventBuffer);
    expect(keyInFile('eventClock')).toBe('event_clock');
  });

  it('begins everything anew that has a module loaded whose file is another', () => {
    const handler = '/lib/handler.js';
    const module = '/lib/module.js';
    const [first, second, ...rest] = base.interrupts;
    if (first === undefined || second === undefined) throw new Error('the base has two interrupts');
    const config: Config = {
      ...base,
      interrupts: [
        { ...first, handler },
        { ...second, work: [{ queue: 'slow', actions: [{ kind: 'module', path: module, timeoutNs: 1e9 }] }] },
        ...rest,
      ],
    };
    expect([...moduleFiles(config)].sort()).toEqual([handler, module]);
    expect(touched(planReload(config, config, new Set([handler])))).toEqual([['button1'], ['button1']]);
    const anew = planReload(config, config, new Set([module]));
    expect(touched(anew)).toEqual([['button2'], ['button2']]);
    expect([[...anew.queuesEnded], [...anew.queuesBegun]]).toEqual([['slow'], ['slow']]);
  });

  it('opens a chip anew that is another, and all lines on it with it', () => {
    const text = (chip: string): string =>
      `chips: { expander: ${chip} }\n${BASE.replace('gpio: 22,', 'gpio: 3, chip: expander,')}`;
    const made = planReload(configOf(text('gpiochip2')), configOf(text('label:mcp23017')));
    expect([[...made.chipsClosed], [...made.chipsOpened], [...made.moved]]).toEqual([
      ['expander'],
      ['expander'],
      ['door'],
    ]);
    expect(touched(made)).toEqual([['door'], ['door']]);
  });
});

describe('references', () => {
  it('are found wherever they are', () => {
    const entry = {
      lines: ['a', 'b'],
      work: [
        {
          queue: 'slow',
          actions: [
            { kind: 'set', line: 'c' },
            { kind: 'module', path: '/m.js' },
          ],
        },
      ],
    };
    const { lines, queues, files } = referencesOf(entry);
    expect([[...lines], [...queues], [...files]]).toEqual([['a', 'b', 'c'], ['slow'], ['/m.js']]);
  });
});

describe('any two configurations', () => {
  it('free and request only lines with edges, and leave alone what is the same in both', () => {
    const line = fc.record({ gpio: fc.nat(9), edge: fc.constantFrom('none', 'rising', 'both'), low: fc.boolean() });
    const lines = fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), line), { selector: ([name]) => name, minLength: 1 })
      .map((all) => {
        const used = new Set<number>();
        const own = all.filter(([, { gpio }]) => used.size !== used.add(gpio).size);
        const entries = own.map(
          ([name, { gpio, edge, low }]) =>
            `  ${name}: { gpio: ${gpio}, edge: ${edge}, active: ${low ? 'low' : 'high'} }`,
        );
        return configOf(`lines:\n${entries.join('\n')}`);
      });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const made = planReload(before, after);
        const find = (config: Config, name: string) => config.lines.find((one) => one.name === name);
        for (const name of made.freed) expect(find(before, name)?.edge).not.toBe('none');
        for (const name of made.requested) expect(find(after, name)?.edge).not.toBe('none');
        for (const { name } of after.lines) {
          const [was, is] = [find(before, name), find(after, name)];
          if (JSON.stringify(was) !== JSON.stringify(is)) continue;
          expect([made.freed.has(name), made.requested.has(name), made.moved.has(name)]).toEqual([false, false, false]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
