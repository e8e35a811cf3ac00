// Specification of a kept request's record: what is read back is what was written last, or nothing at all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mark } from '../../kernel/index.js';
import { failsWith } from '../../test/contract/backend.js';
import { type KeptDescription, KeptRecord, markedLevel, markLevel, RECORD_BYTES } from './kept-record.js';

const memory = (): ArrayBuffer => new ArrayBuffer(RECORD_BYTES);

const line = fc.oneof(
  fc.record(
    {
      offset: fc.nat(63),
      direction: fc.constant('in' as const),
      edge: fc.constantFrom('none' as const, 'rising' as const, 'falling' as const, 'both' as const),
      bias: fc.constantFrom('as-is' as const, 'disabled' as const, 'pull-up' as const, 'pull-down' as const),
      activeLow: fc.boolean(),
      debounceUs: fc.nat(),
    },
    { requiredKeys: ['offset', 'direction'] },
  ),
  fc.record(
    {
      offset: fc.nat(63),
      direction: fc.constant('out' as const),
      drive: fc.constantFrom('push-pull' as const, 'open-drain' as const, 'open-source' as const),
      initial: fc.constantFrom(0 as const, 1 as const, 'keep' as const),
    },
    { requiredKeys: ['offset', 'direction'] },
  ),
);
const description: fc.Arbitrary<KeptDescription> = fc.record({
  chip: fc.record({
    name: fc.string(),
    label: fc.string({ unit: 'grapheme' }),
    lines: fc.integer({ min: 1, max: 64 }),
  }),
  consumer: fc.string(),
  eventBufferSize: fc.integer({ min: 1, max: 1024 }),
  eventClock: fc.constantFrom('monotonic' as const, 'realtime' as const),
  lines: fc.uniqueArray(line, { minLength: 1, maxLength: 64, selector: ({ offset }) => offset }),
});
const ONE: KeptDescription = {
  chip: { name: 'gpiochip0', label: 'pinctrl-bcm2835', lines: 54 },
  consumer: 'gpio-irqd',
  eventBufferSize: 1024,
  eventClock: 'monotonic',
  lines: [
    { offset: 17, direction: 'in', edge: 'both' },
    { offset: 4, direction: 'out', initial: 0 },
  ],
};

describe('a description', () => {
  it('is read as it was written, the last one', () => {
    fc.assert(
      fc.property(fc.array(description, { minLength: 1, maxLength: 4 }), ([first = ONE, ...others]) => {
        const buffer = memory();
        const record = KeptRecord.begin(buffer, first);
        for (const other of others) record.describe(other);
        expect(KeptRecord.resume(buffer).description).toEqual(others.at(-1) ?? first);
      }),
    );
  });

  it('that is written half when the process is killed leaves the one before in place', () => {
    fc.assert(
      fc.property(description, fc.nat(RECORD_BYTES), (other, at) => {
        const buffer = memory();
        KeptRecord.begin(buffer, ONE);
        const whole = memory();
        new Uint8Array(whole).set(new Uint8Array(buffer));
        KeptRecord.resume(whole).describe(other);
        // What was written up to some byte behind the head, which is turned over last.
        const end = Math.max(at, 16);
        new Uint8Array(buffer).set(new Uint8Array(whole, 16, end - 16), 16);
        expect(KeptRecord.resume(buffer).description).toEqual(ONE);
      }),
    );
  });

  it('that is no description, or of another version, is not read', () => {
    failsWith('EINVAL', () => KeptRecord.resume(memory()));
    failsWith('EINVAL', () => KeptRecord.resume(new ArrayBuffer(64)));
    const buffer = memory();
    KeptRecord.begin(buffer, ONE);
    new Uint32Array(buffer)[0] = 7;
    failsWith('EINVAL', () => KeptRecord.resume(buffer));
  });

  it('is refused or read, and does nothing else, whatever the memory has', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(RECORD_BYTES - 1), fc.nat(255)), { maxLength: 40 }), (changes) => {
        const buffer = memory();
        KeptRecord.begin(buffer, ONE);
        const bytes = new Uint8Array(buffer);
        for (const [at, value] of changes) bytes[at] = value;
        bytes[0x1000 + 0x7800 + 4 + (changes.length % 100)] = changes.length;
        try {
          expect(KeptRecord.resume(buffer).description.lines.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EINVAL' });
        }
      }),
    );
  });
});

describe('the mark of a line', () => {
  it('is its own, and there for whoever goes on', () => {
    const buffer = memory();
    const record = KeptRecord.begin(buffer, ONE);
    const button = record.markOf(17);
    const led = record.markOf(4);
    if (button === undefined || led === undefined) return expect.fail('no marks');
    button[Mark.READ] = 7;
    markLevel(led, 1);
    const next = KeptRecord.resume(buffer);
    expect([...(next.markOf(17) ?? [])]).toEqual([7, 0, 0, 0]);
    expect(markedLevel(next.markOf(4) ?? button)).toBe(1);
    markLevel(led, 0);
    expect(markedLevel(led)).toBe(0);
    markLevel(led, undefined);
    expect(markedLevel(led)).toBeUndefined();
    expect(record.markOf(5)).toBeUndefined();
  });

  it('stays when the description changes', () => {
    const record = KeptRecord.begin(memory(), ONE);
    const led = record.markOf(4) ?? expect.fail('no mark');
    markLevel(led, 1);
    record.describe({ ...ONE, lines: ONE.lines.map((one) => ({ ...one, activeLow: true })) });
    expect(markedLevel(led)).toBe(1);
  });
});
