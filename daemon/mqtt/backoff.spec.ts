import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mulberry32 } from '../../sim-fallback/board/prng.js';
import { Backoff } from './backoff.js';

test('waits double up to the longest, and begin anew once the broker was there', () => {
  const backoff = new Backoff({ firstMs: 1000, maxMs: 8000 }, () => 0.999_999_9);
  const waits = Array.from({ length: 6 }, () => backoff.next());
  expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
  backoff.reset();
  expect(backoff.next()).toBe(1000);
});

test('each wait is in the upper half of its range, and the same for the same seed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, count) => {
      const waits = (): number[] => {
        const backoff = new Backoff({ firstMs: 1000, maxMs: 60_000 }, mulberry32(seed));
        return Array.from({ length: count }, () => backoff.next());
      };
      const drawn = waits();
      expect(drawn).toEqual(waits());
      for (const [i, wait] of drawn.entries()) {
        const ceiling = Math.min(1000 * 2 ** i, 60_000);
        expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
        expect(wait).toBeLessThanOrEqual(ceiling);
      }
    }),
  );
});
