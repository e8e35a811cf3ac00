import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRACEPOINT_NAMES, Tracepoint, TraceRing } from './ring.js';

describe('the trace ring', () => {
  it('gives back what was recorded, oldest first, the last so many once it is full', () => {
    const sizes = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(sizes, fc.nat({ max: 120 }), fc.nat({ max: 130 }), (capacity, count, from) => {
        const ring = new TraceRing(capacity);
        for (let i = 0; i < count; i++) {
          ring.record(Tracepoint.gpioValue, i * 1.5, i % 8, i * 0x1_0000, i, -i, i * 2, ring.intern(`n${i % 3}`));
        }
        const oldest = Math.max(from, count - ring.capacity, 0);
        const expected = Array.from({ length: Math.max(0, count - oldest) }, (_, at) => {
          const i = oldest + at;
          const what = { event: Tracepoint.gpioValue, a: -i, b: i * 2, name: `n${i % 3}` };
          return { index: i, timeNs: i * 1.5, cpu: i % 8, preemptCount: i * 0x1_0000, pid: i, ...what };
        }).map((record) => ({ ...record, a: record.a === 0 ? 0 : record.a }));
        expect([...ring.read(from)]).toEqual(expected);
        expect([ring.written, ring.capacity >= Math.max(16, capacity)]).toEqual([count, true]);
        expect(Math.log2(ring.capacity) % 1).toBe(0);
      }),
    );
  });

  it('skips, for a slow reader, what was overwritten meanwhile', () => {
    const ring = new TraceRing(16);
    const add = (): void => ring.record(Tracepoint.gpioValue, ring.written, 0, 0, 0, 0, 0, 0);
    for (let i = 0; i < 16; i++) add();
    const reader = ring.read();
    expect(reader.next().value?.index).toBe(0);
    for (let i = 0; i < 20; i++) add();
    const rest = [...reader];
    expect(rest[0]).toMatchObject({ index: 20, timeNs: 20 });
    expect(rest.length).toBe(16);
  });

  it('interns a name once, and none as the empty one', () => {
    const ring = new TraceRing();
    expect([ring.intern(''), ring.intern('a'), ring.intern('b'), ring.intern('a')]).toEqual([0, 1, 2, 1]);
  });

  it.each([[0], [-1], [Number.NaN], [2 ** 25]])('cannot have %d records', (capacity) => {
    expect(() => new TraceRing(capacity)).toThrow(/1 to 16777216 can be kept/);
  });

  it('has a name for each tracepoint', () => {
    const ids = Object.values(Tracepoint);
    expect([...ids].sort((a, b) => a - b)).toEqual(TRACEPOINT_NAMES.map((_, id) => id));
  });

  it('gives jiffies back as they are, unsigned', () => {
    const ring = new TraceRing(16);
    ring.record(Tracepoint.timerExpireEntry, 0, 0, 0, 0, 0xffff_fffe, 0, 0);
    ring.record(Tracepoint.timerExpireExit, 0, 0, 0, 0, 5, 0, 0);
    expect([...ring.read()].map(({ a }) => a)).toEqual([0xffff_fffe, 5]);
  });
});
