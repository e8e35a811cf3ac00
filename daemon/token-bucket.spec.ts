// Token buckets: so many at once, so many in any window, and evenly after.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

const S = 1e9;

/** How many of `count` asked for at once are let through. */
function burst(bucket: TokenBucket, count: number, nowNs: number): number {
  return Array.from({ length: count }, () => bucket.take(nowNs)).filter(Boolean).length;
}

describe('a token bucket', () => {
  it('lets its rate through at once, and one more for each part of the time', () => {
    const bucket = new TokenBucket({ rate: 5, perNs: S });
    expect(burst(bucket, 100, 0)).toBe(5);
    expect(burst(bucket, 100, 0.2 * S)).toBe(1);
    expect(burst(bucket, 100, 0.39 * S)).toBe(0);
    expect(burst(bucket, 100, 0.4 * S)).toBe(1);
    expect(burst(bucket, 100, 60 * S)).toBe(5);
  });

  it('lets through in the long run what it is meant to, whatever the rate', () => {
    for (const rate of [1, 3, 7, 1_000]) {
      const bucket = new TokenBucket({ rate, perNs: S });
      let through = 0;
      for (let ms = 0; ms < 100_000; ms++) if (bucket.take(ms * 1e6)) through++;
      expect(Math.abs(through - Math.min(100_000, rate * 100))).toBeLessThanOrEqual(rate);
    }
  });

  it('never lets more through than twice its rate in one window', () => {
    const asks = fc.array(fc.nat(400), { maxLength: 200 });
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 10 }), (gaps, rate) => {
        const bucket = new TokenBucket({ rate, perNs: 1_000 });
        const through: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          if (bucket.take(now)) through.push(now);
        }
        for (const at of through) {
          expect(through.filter((other) => other >= at && other < at + 1_000).length).toBeLessThanOrEqual(2 * rate);
        }
      }),
    );
  });

  it('lets its burst and no more than its rate through of whatever comes, and counts the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200e6 }), { minLength: 1, maxLength: 200 }), (gaps) => {
        let now = 0;
        const bucket = new TokenBucket({ rate: 50, perNs: S, burst: 10 });
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          if (bucket.take(now)) taken++;
          expect(taken).toBeLessThanOrEqual(10 + (now * 50) / S + 1e-6);
        }
        expect(taken + bucket.refused).toBe(gaps.length);
      }),
    );
  });

  it('has no more for a clock that goes back', () => {
    const bucket = new TokenBucket({ rate: 1, perNs: S });
    expect([bucket.take(10 * S), bucket.take(0), bucket.take(10.5 * S)]).toEqual([true, false, false]);
  });
});
