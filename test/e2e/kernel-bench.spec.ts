// The arithmetic of `npm run bench:kernel`: edges go to the injections that made them, and no figure is made up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile } from '../../bench/kernel/figures.js';
import { latencies } from '../../bench/kernel/latency.js';
import { blockedLines } from '../../bench/kernel/report.js';
import { wholeTurns } from '../../bench/kernel/session.js';

const u64 = (...values: readonly number[]): BigUint64Array => BigUint64Array.from(values, BigInt);

describe('latencies', () => {
  it('are counted from the kernel stamp and from the last injection before it', () => {
    const { fromKernel, fromInjection } = latencies(u64(1_010, 1_050, 2_020, 2_090), u64(1_000, 2_000));
    expect(fromKernel).toEqual([40, 70]);
    expect(fromInjection).toEqual([50, 90]);
  });

  it('leave out the edges of the warm-up', () => {
    const { fromKernel } = latencies(u64(10, 500, 1_010, 1_050), u64(1_000));
    expect(fromKernel).toEqual([40]);
  });

  it('have no kernel stamps where the reader has none', () => {
    const { fromKernel, fromInjection } = latencies(u64(0, 1_300, 0, 2_400), u64(1_000, 2_000));
    expect([fromKernel, fromInjection]).toEqual([[], [300, 400]]);
  });

  it('are never negative, and as many as the edges that came after the first injection', () => {
    const sorted = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 40 }).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(sorted, sorted, fc.nat(500), (injected, stamps, late) => {
        const pairs = u64(...stamps.flatMap((stamp) => [stamp + 1, stamp + 1 + late]));
        const { fromKernel, fromInjection } = latencies(pairs, u64(...injected));
        const counted = stamps.filter((stamp) => stamp + 1 >= (injected[0] ?? 0)).length;
        expect([fromKernel.length, fromInjection.length]).toEqual([counted, counted]);
        expect(fromInjection.every((ns) => ns >= late)).toBe(true);
      }),
    );
  });
});

describe('injections', () => {
  it('leave all lines as they were', () => {
    for (const lines of [1, 8, 54]) {
      const count = wholeTurns(600, lines);
      expect(count).toBeGreaterThanOrEqual(600);
      expect(count % (2 * lines)).toBe(0);
    }
  });
});

describe('the report', () => {
  it('says when edges are not accounted for', () => {
    expect(blockedLines(200, [{ made: 10, seen: 6, lost: 4 }])).toContain('every one is accounted for');
    expect(blockedLines(200, [{ made: 10, seen: 6, lost: 3 }])).toContain('**1 are not accounted for**');
  });

  it('has no percentile of nothing', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
    expect(percentile([3, 1, 2], 50)).toBe(2);
  });
});
