// Random configurations for tests: right ones of every section, and changes that make of one what somebody might have written.

import fc from 'fast-check';

type Value = unknown;
type Mapping = Record<string, Value>;

const PATTERNS = ['single', 'double', 'long', 'hold', 'release'] as const;
const text = fc.constantFrom(
  'x',
  '{name} at {time}',
  '{{braces}}',
  'ünï ☃',
  'yes',
  '0123',
  '- a: b',
  '# no comment',
  '',
);
const duration = fc.constantFrom('1ms', '2ms', '1.5s', '2 s', '5ms', '100ms');
const flag = fc.boolean();

function optional(fields: Record<string, fc.Arbitrary<Value>>, required: Record<string, fc.Arbitrary<Value>> = {}) {
  return fc.record({ ...required, ...fields }, { requiredKeys: Object.keys(required) });
}

/** What a configuration defines, and its other sections may name. */
interface Names {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly queues: readonly string[];
  readonly broker: boolean;
}

const limit = optional({ per: duration }, { rate: fc.integer({ min: 1, max: 100 }) });

function atomic({ outputs }: Names): fc.Arbitrary<Mapping>[] {
  if (outputs.length === 0) return [];
  const line = fc.constantFrom(...outputs);
  return [
    optional({ limit }, { set: line, value: fc.constantFrom(0, 1) }),
    optional({ limit }, { toggle: line }),
    optional({ limit, value: fc.constantFrom(0, 1) }, { pulse: line, for: duration }),
  ];
}

function threadAction(names: Names): fc.Arbitrary<Mapping> {
  return fc.oneof(optional({ limit }, { log: text }), ...atomic(names));
}

function workAction(names: Names): fc.Arbitrary<Mapping> {
  const exec = optional(
    { timeout: duration, limit, env: fc.dictionary(fc.constantFrom('A', 'B_1'), text) },
    {
      exec: fc.array(text, { maxLength: 2 }).map((args) => ['/bin/true', ...args]),
    },
  );
  const http = optional(
    { timeout: duration, limit, body: text, retries: fc.integer({ min: 0, max: 5 }) },
    {
      http: fc.constantFrom('https://example.org/a', 'http://localhost:8080/{name}'),
    },
  );
  const mqtt = optional(
    { limit, payload: text, qos: fc.constantFrom(0, 1, 2), retain: flag },
    {
      mqtt: fc.constantFrom('a/b', 'home/{name}'),
    },
  );
  return fc.oneof(threadAction(names), exec, http, ...(names.broker ? [mqtt] : []));
}

function list(action: fc.Arbitrary<Mapping>): fc.Arbitrary<Mapping[]> {
  return fc.array(action, { minLength: 1, maxLength: 3 });
}

function work(names: Names): fc.Arbitrary<Value> {
  const item = optional({ queue: fc.constantFrom('system_wq', ...names.queues) }, { do: list(workAction(names)) });
  return fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 2 }));
}

function interrupt(line: string, names: Names): fc.Arbitrary<Mapping> {
  const atomics = atomic(names);
  const top = atomics.length === 0 ? {} : { top_half: list(fc.oneof(...atomics)), tasklet: list(fc.oneof(...atomics)) };
  const thread = list(threadAction(names));
  const patterns = fc
    .uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1 })
    .chain((all) => fc.tuple(...all.map((on) => fc.record({ on: fc.constant(on), do: list(workAction(names)) }))));
  return optional(
    {
      ...top,
      flags: fc.constantFrom([], ['oneshot']),
      affinity: fc.constant([0]),
      work: work(names),
      patterns,
      thread: fc.oneof(thread, optional({ priority: fc.integer({ min: 1, max: 99 }) }, { do: thread })),
    },
    { line: fc.constant(line), name: fc.constant(`irq ${line}`) },
  ).map((one) =>
    Object.keys(one).some((key) => /^(top_half|tasklet|thread|work|patterns)$/.test(key))
      ? one
      : { ...one, thread: [{ log: 'x' }] },
  );
}

function sections(names: Names): fc.Arbitrary<Mapping> {
  const { inputs } = names;
  const chord = fc.shuffledSubarray([...inputs], { minLength: Math.min(2, inputs.length) }).map((lines) => ({
    lines,
    do: [{ log: '{lines}' }],
  }));
  const source = fc.constantFrom<Mapping>(
    { hook: 'h' },
    { schedule: '0 7 * * 1-5' },
    { schedule: '*/5 * * * *', timezone: 'UTC' },
  );
  return optional(
    {
      driver: fc.constantFrom('auto', 'sim'),
      event_buffer: fc.integer({ min: 1, max: 1024 }),
      event_clock: fc.constantFrom('monotonic', 'realtime'),
      storm_guard: fc.record({ rate: fc.integer({ min: 0, max: 1000 }) }),
      chords: inputs.length < 2 ? fc.constant([]) : fc.array(chord, { maxLength: 1 }),
      triggers: fc.tuple(source, work(names)).map(([by, items]) => [{ name: 't', ...by, work: items }]),
      log: optional({ level: fc.constantFrom('info', 'warn'), format: fc.constantFrom('auto', 'json') }),
      http: fc.record({ token_file: fc.constant('token') }),
    },
    { interrupts: fc.tuple(...inputs.map((line) => interrupt(line, names))) },
  );
}

/** A right configuration. Its actions never follow, and its modules are none: both need more than one entry to be right. */
export const rightConfig: fc.Arbitrary<Mapping> = fc
  .record({
    inputs: fc.integer({ min: 0, max: 3 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    queues: fc.subarray(['q1', 'q2']),
    broker: flag,
    line: fc.array(optional({ bias: fc.constantFrom('pull-up', 'as-is'), active: fc.constantFrom('low', 'high') }), {
      minLength: 6,
      maxLength: 6,
    }),
  })
  .chain(({ inputs, outputs, queues, broker, line }) => {
    const lines: Mapping = {};
    for (let i = 0; i < inputs; i++) lines[`in${i}`] = { gpio: i, edge: 'both', debounce: '5ms', ...line[i] };
    for (let i = 0; i < outputs; i++) lines[`out${i}`] = { gpio: 20 + i, direction: 'out', ...line[3 + i] };
    const names: Names = {
      inputs: Object.keys(lines).slice(0, inputs),
      outputs: Object.keys(lines).slice(inputs),
      queues,
      broker,
    };
    const mqtt = broker ? { mqtt: { url: 'mqtt://localhost' } } : {};
    return sections(names).map((rest) => ({
      lines,
      workqueues: Object.fromEntries(queues.map((queue) => [queue, { flags: ['unbound'] }])),
      ...mqtt,
      ...rest,
    }));
  });

/** Something that stands where something else should. */
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom<Value>(
    'in0',
    'out0',
    'q1',
    '5ms',
    -1,
    1e9,
    'both',
    null,
    [],
    {},
    '\u{24}{UNSET}',
    '\u{24}{SET}',
    '{line',
  ),
);

/** One change: at which place, counted over all of them, and what happens there. */
export interface Change {
  readonly at: number;
  readonly kind: 'replace' | 'remove' | 'rename' | 'wrap' | 'copy';
  readonly value: Value;
  readonly key: string;
}

export const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat({ max: 10_000 }),
  kind: fc.constantFrom('replace', 'remove', 'rename', 'wrap', 'copy'),
  value: junk,
  key: fc.oneof(
    fc.constantFrom('lines', 'gpio', 'do', 'set', 'log', 'queue', 'include', '__proto__'),
    fc.string({ maxLength: 5 }),
  ),
});

function holders(value: Value, found: (Mapping | Value[])[] = []): (Mapping | Value[])[] {
  if (typeof value !== 'object' || value === null) return found;
  found.push(value as Mapping | Value[]);
  for (const inner of Object.values(value)) holders(inner, found);
  return found;
}

function changeMapping(mapping: Mapping, at: number, { kind, value, key }: Change): void {
  const keys = Object.keys(mapping);
  const chosen = keys[at % Math.max(1, keys.length)] ?? key;
  const before = mapping[chosen];
  if (kind === 'remove' || kind === 'rename') delete mapping[chosen];
  if (kind === 'replace') mapping[chosen] = value;
  if (kind === 'wrap') mapping[chosen] = [before ?? null];
  if (kind === 'rename' || kind === 'copy')
    Object.defineProperty(mapping, key, {
      value: before ?? null,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

function changeList(items: Value[], at: number, { kind, value }: Change): void {
  const index = at % Math.max(1, items.length);
  const before = items[index] ?? null;
  if (kind === 'replace' || kind === 'rename') items[index] = value;
  if (kind === 'remove') items.splice(index, 1);
  if (kind === 'wrap') items[index] = [before];
  if (kind === 'copy') items.push(structuredClone(before));
}

/** The configuration with changes. */
export function changed(config: Mapping, changes: readonly Change[]): Mapping {
  const copy = structuredClone(config);
  for (const one of changes) {
    const all = holders(copy);
    const holder = all[one.at % all.length];
    if (Array.isArray(holder)) changeList(holder, one.at, one);
    else if (holder !== undefined) changeMapping(holder, one.at, one);
  }
  return copy;
}
