// Requests over lines that are held one by one: whatever is called in whatever order, lines and errors are as the contract says.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { KernelError } from '../kernel/errno.js';
import type { EdgeBatch, GpioCapabilities, Level, LineConfig } from '../kernel/gpio/driver.js';
import { failsWith } from '../test/contract/backend.js';
import { type HeldLine, HeldLines, type HeldLinesOwner } from './held-lines.js';
import { checkOptions } from './refusals.js';

const NOTHING: GpioCapabilities = {
  bias: false,
  debounce: false,
  activeLow: false,
  openDrain: false,
  openSource: false,
  kernelTimestamps: false,
  realtimeClock: false,
  seqno: false,
  eventBufferSize: false,
  edgeQueue: 'merge',
  reconfigure: false,
  keepLevel: false,
  lineInfoWatch: false,
  lineNames: false,
  lineHolders: false,
  lineEdges: false,
  goneNotice: false,
  atomicSetMany: false,
};
const SETTINGS = ['bias', 'debounce', 'activeLow', 'openDrain', 'openSource'] as const;

/** A line in memory. */
class MemoryLine implements HeldLine {
  level: Level = 0;
  config: LineConfig;
  released = 0;
  failure: KernelError | undefined;
  fire: ((rising: boolean) => void) | undefined;

  constructor(config: LineConfig) {
    this.config = config;
  }

  get(): Level {
    if (this.failure !== undefined) throw this.failure;
    return this.level;
  }

  set(value: Level): void {
    if (this.failure !== undefined) throw this.failure;
    this.level = value;
  }

  listen(batch: EdgeBatch, deliver: () => void): void {
    this.fire = (rising) => {
      batch.write(0, 0, 0, rising, this.config.offset, 0, 0);
      batch.count = 1;
      deliver();
    };
  }

  configure(line: LineConfig): void {
    this.config = line;
  }

  release(): void {
    this.released += 1;
  }
}

let held: MemoryLine[];
let gone: KernelError[];
let released: number;
beforeEach(() => {
  gone = [];
  released = 0;
});

function request(
  lines: readonly LineConfig[],
  capabilities: Partial<GpioCapabilities> = { reconfigure: true },
): HeldLines {
  held = lines.map((line) => new MemoryLine(line));
  const owner: HeldLinesOwner = {
    driver: 'memory',
    name: 'gpiochip0',
    lines: 54,
    capabilities: { ...NOTHING, ...capabilities },
    released: () => {
      released += 1;
    },
    found: (error) => gone.push(error),
  };
  return new HeldLines(owner, lines, held, 1);
}

const output = (offset: number): LineConfig => ({ offset, direction: 'out' });
const input = (offset: number): LineConfig => ({ offset, direction: 'in' });

describe('HeldLines', () => {
  type Model = { readonly directions: Map<number, 'in' | 'out'>; readonly levels: Map<number, Level>; open: boolean };
  type Step =
    | { readonly kind: 'set'; readonly values: readonly (readonly [number, Level])[] }
    | { readonly kind: 'get'; readonly offset: number }
    | { readonly kind: 'turn'; readonly outputs: readonly boolean[] }
    | { readonly kind: 'release' };
  const OFFSETS = [9, 2, 5];
  const level = fc.constantFrom<Level>(0, 1);
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        values: fc.array(fc.tuple(fc.constantFrom(2, 5, 9, 7), level), { maxLength: 4 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('get' as const), offset: fc.constantFrom(2, 5, 9, 7) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('turn' as const),
        outputs: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  );

  /** The code of the error that setting must give; undefined when it must work. */
  function refusal(model: Model, values: ReadonlyMap<number, Level>): string | undefined {
    if (!model.open) return 'EBADF';
    for (const offset of values.keys()) {
      const direction = model.directions.get(offset);
      if (direction === undefined) return 'EINVAL';
      if (direction === 'in') return 'EPERM';
    }
    return undefined;
  }

  function play(it: HeldLines, model: Model, what: Step): void {
    if (what.kind === 'set') {
      const values = new Map(what.values);
      const code = refusal(model, values);
      if (code !== undefined) failsWith(code, () => it.setValues(values));
      else {
        it.setValues(values);
        for (const [offset, value] of values) model.levels.set(offset, value);
      }
    } else if (what.kind === 'get') {
      const { offset } = what;
      if (!model.directions.has(offset)) failsWith('EINVAL', () => it.getValue(offset));
      else if (!model.open) failsWith('EBADF', () => it.getValue(offset));
      else expect(it.getValue(offset)).toBe(model.levels.get(offset));
    } else if (what.kind === 'turn') {
      const lines = OFFSETS.map((offset, i) => (what.outputs[i] ? output(offset) : input(offset))).reverse();
      if (!model.open) failsWith('EBADF', () => it.reconfigure(lines));
      else {
        it.reconfigure(lines);
        for (const { offset, direction } of lines) model.directions.set(offset, direction);
      }
    } else {
      it.release();
      model.open = false;
    }
  }

  it('reads, sets, turns and releases lines as a model of them does, in any order of calls', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const it = request(OFFSETS.map(output));
        const model: Model = {
          directions: new Map(OFFSETS.map((offset) => [offset, 'out'])),
          levels: new Map(OFFSETS.map((offset) => [offset, 0])),
          open: true,
        };
        for (const what of steps) play(it, model, what);
        expect(held.map((line) => line.level)).toEqual(OFFSETS.map((offset) => model.levels.get(offset)));
        if (model.open) expect(it.getValues()).toEqual(OFFSETS.map((offset) => model.levels.get(offset)));
        expect(held.map((line) => line.released)).toEqual(OFFSETS.map(() => (model.open ? 0 : 1)));
      }),
    );
  });

  it('tells the chip of ENODEV, of no other error, and passes both on', () => {
    const it = request([output(4)]);
    const [line] = held;
    for (const code of ['EIO', 'ENODEV'] as const) {
      if (line !== undefined) line.failure = new KernelError(code, 'made up');
      failsWith(code, () => it.getValue(4));
      failsWith(code, () => it.setValue(4, 1));
    }
    expect(gone.map((error) => error.code)).toEqual(['ENODEV', 'ENODEV']);
  });

  it('tells each listener once that the chip is gone', async () => {
    const it = request([output(4)]);
    const told: string[] = [];
    it.onGone(() => told.push('early'));
    it.tellGone(new KernelError('ENODEV', 'gone'));
    it.tellGone(new KernelError('ENODEV', 'gone'));
    it.onGone(() => told.push('late'));
    await Promise.resolve();
    expect(told).toEqual(['early', 'late']);
  });

  it('delivers nothing after a release, whatever a line still reports', () => {
    const it = request([{ ...input(4), edge: 'both' }]);
    const seen: boolean[] = [];
    it.onEdges((batch) => {
      seen.push(batch.rising(0));
      it.release();
    });
    held[0]?.fire?.(true);
    held[0]?.fire?.(false);
    expect(seen).toEqual([true]);
    expect(released).toBe(1);
  });

  it('refuses a reconfiguration that the driver cannot do, before any line is changed', () => {
    const without = request([output(4), output(5)], {});
    failsWith('ENOTSUP', () => without.reconfigure([output(4), output(5)]));
    const it = request([output(4), output(5)]);
    failsWith('ENOTSUP', () => it.reconfigure([input(4), { ...input(5), bias: 'pull-up' }]));
    failsWith('EINVAL', () => it.reconfigure([input(4)]));
    expect(held.map((line) => line.config.direction)).toEqual(['out', 'out']);
  });
});

describe('checkOptions', () => {
  const wish = fc.record({
    bias: fc.constantFrom('as-is' as const, 'disabled' as const, 'pull-up' as const),
    debounceUs: fc.constantFrom(0, 5),
    activeLow: fc.boolean(),
    drive: fc.constantFrom('push-pull' as const, 'open-drain' as const, 'open-source' as const),
  });

  it('refuses a request if and only if a line asks for what is missing, and names that', () => {
    fc.assert(
      fc.property(fc.array(wish, { minLength: 1, maxLength: 5 }), fc.subarray([...SETTINGS]), (wishes, granted) => {
        const lines = wishes.map((line, offset): LineConfig => ({ offset, direction: 'in', ...line }));
        const capabilities = { ...NOTHING, ...Object.fromEntries(granted.map((name) => [name, true])) };
        const asked = new Set<string>();
        for (const { bias, debounceUs, activeLow, drive } of wishes) {
          if (bias !== 'as-is') asked.add('bias');
          if (debounceUs > 0) asked.add('debounce');
          if (activeLow) asked.add('activeLow');
          if (drive === 'open-drain') asked.add('openDrain');
          if (drive === 'open-source') asked.add('openSource');
        }
        const missing = [...asked].filter((name) => !granted.some((other) => other === name));
        const check = (): void => checkOptions('memory', capabilities, { lines, consumer: 'test' });
        if (missing.length === 0) expect(check).not.toThrow();
        else expect(missing).toContain(failsWith('ENOTSUP', check).subject);
      }),
    );
  });

  it.each([
    ['monotonic', { kernelTimestamps: true }, true],
    ['monotonic', {}, false],
    ['realtime', { kernelTimestamps: true, realtimeClock: true }, true],
    ['realtime', { kernelTimestamps: true }, false],
    ['userspace', {}, true],
    ['userspace', { kernelTimestamps: true }, false],
    [undefined, {}, true],
  ] as const)('stamps of the clock %s with %o: granted is %s', (eventClock, capabilities, granted) => {
    const options = { lines: [input(3)], consumer: 'test', ...(eventClock === undefined ? {} : { eventClock }) };
    const check = (): void => checkOptions('memory', { ...NOTHING, ...capabilities }, options);
    if (granted) expect(check).not.toThrow();
    else failsWith('ENOTSUP', check);
  });
});
