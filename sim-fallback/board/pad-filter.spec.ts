// The debounce filter, against the kernel's algorithm.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import type { PadDrive, PadLevel } from '../bcm2835/pads.js';
import { PadFilter } from './pad-filter.js';

function makeFilter(periodNs: number) {
  const clock = new VirtualClock();
  const seen: [PadDrive, number][] = [];
  const filter = new PadFilter(clock, (value) => seen.push([value, clock.now()]));
  filter.setPeriod(periodNs);
  return { clock, filter, seen };
}

describe('PadFilter', () => {
  it('passes everything at once when the period is 0', () => {
    const { filter, seen } = makeFilter(0);
    for (const value of [0, 1, 1, 'float'] as const) filter.drive(value);
    expect(seen.map(([value]) => value)).toEqual([0, 1, 'float']);
  });

  it('passes a level one period after its last edge', () => {
    const { clock, filter, seen } = makeFilter(100);
    filter.drive(0);
    clock.advance(60);
    filter.drive('float');
    clock.advance(10);
    filter.drive(0);
    clock.advance(500);
    expect(seen).toEqual([[0, 170]]);
  });

  it('drops a pulse shorter than the period', () => {
    const { clock, filter, seen } = makeFilter(100);
    filter.drive(0);
    clock.advance(99);
    filter.drive('float');
    clock.advance(1000);
    expect(seen).toEqual([]);
  });

  it('passes at once what is waiting when it is turned off', () => {
    const { clock, filter, seen } = makeFilter(100);
    filter.drive(0);
    clock.advance(40);
    filter.setPeriod(0);
    clock.advance(1000);
    expect(seen).toEqual([[0, 40]]);
  });

  it('counts a changed period from the next edge on', () => {
    const { clock, filter, seen } = makeFilter(100);
    filter.drive(0);
    filter.setPeriod(10);
    clock.advance(200);
    filter.drive(1);
    clock.advance(200);
    expect(seen).toEqual([
      [0, 100],
      [1, 210],
    ]);
  });

  it('refuses a period that is no duration', () => {
    const { filter } = makeFilter(0);
    for (const period of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => filter.setPeriod(period)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    }
    expect(filter.periodNs).toBe(0);
  });

  it('gives the edges of a timer that each raw edge restarts and that compares levels when it ends', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 200 }), (waits, period) => {
        const { clock, filter, seen } = makeFilter(period);
        filter.drive(0);
        clock.advance(period);
        seen.length = 0;
        const wanted: [PadDrive, number][] = [];
        let raw: PadLevel = 0;
        let debounced: PadLevel = 0;
        for (const [i, wait] of waits.entries()) {
          raw = raw === 0 ? 1 : 0;
          filter.drive(raw);
          const timerEnds = clock.now() + period;
          const lastEdge = i === waits.length - 1;
          if ((lastEdge || wait >= period) && raw !== debounced) {
            debounced = raw;
            wanted.push([raw, timerEnds]);
          }
          clock.advance(wait);
        }
        clock.advance(period);
        expect(seen).toEqual(wanted);
      }),
    );
  });
});
