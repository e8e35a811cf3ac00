// What changed between two configurations: applied to the first, it gives the second.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config, LineSpec } from './config.js';
import {
  type ConfigDiff,
  diffConfigs,
  diffLists,
  type ListDiff,
  nameOf,
  sectionChanged,
  type ValueDiff,
} from './diff.js';
import { parseConfig } from './load.js';

function configOf(text: string): Config {
  const result = parseConfig(text, '/etc/gpio-irqd/config.yaml');
  if (!result.ok) expect.fail(result.errors.map(({ message }) => message).join());
  return result.config;
}

const line = fc.record({
  gpio: fc.nat(53),
  edge: fc.constantFrom('none', 'rising', 'both'),
  bias: fc.constantFrom('as-is', 'pull-up'),
  debounce: fc.constantFrom('0ms', '5ms'),
});
const names = ['button1', 'button2', 'bell', 'door', 'window'];
/** Configurations that differ in anything: lines, their order, queues, whole sections. */
const config = fc
  .record({
    lines: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), line), {
      selector: ([name]) => name,
      minLength: 1,
    }),
    interrupts: fc.uniqueArray(fc.tuple(fc.nat(names.length - 1), fc.constantFrom('one', 'two')), {
      selector: ([at]) => at,
    }),
    queues: fc.uniqueArray(fc.constantFrom('slow', 'quick'), { maxLength: 2 }),
    driver: fc.constantFrom('auto', 'sim'),
  })
  .map(({ lines, interrupts, queues, driver }) => {
    const gpios = new Set<number>();
    const own = lines.filter(([, { gpio }]) => gpios.size !== gpios.add(gpio).size);
    const withEdges = own.filter(([, { edge }]) => edge !== 'none').map(([name]) => name);
    const text = [
      `driver: ${driver}`,
      'lines:',
      ...own.map(([name, of]) => `  ${name}: ${JSON.stringify(of).replaceAll('"', '').replaceAll(':', ': ')}`),
      ...(queues.length === 0 ? [] : ['workqueues:', ...queues.map((name) => `  ${name}: { max_active: 2 }`)]),
      'interrupts:',
      ...interrupts
        .filter(([at]) => at < withEdges.length)
        .map(([at, said]) => `  - { line: ${withEdges[at]}, thread: [{ log: ${said} }] }`),
    ];
    return configOf(text.at(-1) === 'interrupts:' ? text.slice(0, -1).join('\n') : text.join('\n'));
  });

/** What a diff makes of the configuration that it began with. */
function applied(before: Config, diff: Partial<ConfigDiff>): unknown {
  const sections = Object.entries(diff).map(([key, section]) => {
    const known: unknown = Object.entries(before).find(([name]) => name === key)?.[1];
    return [
      key,
      'added' in section ? listAfter(Array.isArray(known) ? known : [], section) : valueAfter(known, section),
    ];
  });
  return Object.fromEntries(sections.filter(([, value]) => value !== undefined));
}

function listAfter(before: readonly unknown[], { added, changed, removed, order }: ListDiff<unknown>): unknown[] {
  const entries = new Map(before.map((entry) => [nameOf(entry), entry]));
  for (const entry of removed) entries.delete(nameOf(entry));
  for (const { after } of changed) entries.set(nameOf(after), after);
  for (const entry of added) entries.set(nameOf(entry), entry);
  return order.map((name) => entries.get(name));
}

function valueAfter(before: unknown, { changed, after }: ValueDiff<unknown>): unknown {
  return changed ? after : before;
}

describe('the difference of two configurations', () => {
  it('makes the second out of the first', () => {
    fc.assert(
      fc.property(config, config, (before, after) => {
        expect(applied(before, diffConfigs(before, after))).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  it('is none between a configuration and itself, read twice', () => {
    fc.assert(
      fc.property(config, (one) => {
        const again = structuredClone(one);
        expect(Object.values(diffConfigs(one, again)).some(sectionChanged)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('tells added, changed, removed and kept lines by name, and the order of the new file', () => {
    const before = configOf('lines: { a: { gpio: 1 }, b: { gpio: 2 }, c: { gpio: 3 } }');
    const after = configOf('lines: { d: { gpio: 4 }, c: { gpio: 3, active: low }, a: { gpio: 1 } }');
    const { lines } = diffConfigs(before, after);
    const of = (entries: readonly LineSpec[] | undefined) => entries?.map(({ name }) => name);
    expect([of(lines?.added), of(lines?.removed), of(lines?.kept), lines?.order]).toEqual([
      ['d'],
      ['b'],
      ['a'],
      ['d', 'c', 'a'],
    ]);
    expect(lines?.changed.map((change) => [change.before.activeLow, change.after.activeLow])).toEqual([[false, true]]);
  });

  it('tells entries of one name apart, and calls a chord after its lines', () => {
    const twice = diffLists(
      [{ name: 'a', at: 1 }],
      [
        { name: 'a', at: 1 },
        { name: 'a', at: 2 },
      ],
    );
    expect([twice.kept, twice.added, twice.order]).toEqual([
      [{ name: 'a', at: 1 }],
      [{ name: 'a', at: 2 }],
      ['a', 'a#2'],
    ]);
    expect(nameOf({ lines: ['button1', 'button2'] })).toBe('button1+button2');
  });

  it('takes a section that one of the two leaves out as empty', () => {
    const without = configOf('lines: { a: { gpio: 1 } }');
    const diff = diffConfigs(without, { ...without, driver: 'sim' });
    expect(diff.driver).toEqual({ before: 'auto', after: 'sim', changed: true });
    expect(sectionChanged(diffLists([], []))).toBe(false);
  });
});
