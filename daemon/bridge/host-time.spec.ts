// Host time: the clock of the kernel's stamps, and one timer.

import { describe, expect, it } from 'vitest';
import { NodeHostTime } from './host-time.js';

const MS = 1_000_000;

describe('NodeHostTime', () => {
  it('reads CLOCK_MONOTONIC from its origin on', () => {
    const early: bigint[] = [];
    for (let i = 0; i < 100; i++) {
      const host = new NodeHostTime();
      const before = process.hrtime.bigint();
      const now = host.originNs + BigInt(Math.round(host.now()));
      // The origin is found by two readings, one after the other: it may be early by the time between them, never late.
      expect(now).toBeLessThanOrEqual(process.hrtime.bigint() + 1_000n);
      early.push(before - now);
    }
    // By how much is up to the machine, which may take its time between any two; not between all of them.
    expect(Number(early.sort((a, b) => Number(a - b))[0])).toBeLessThan(0.1 * MS);
  });

  it.each([0, 10_000, 3 * MS])('calls back once, after a delay of %d ns or a part of it', async (delayNs) => {
    const host = new NodeHostTime();
    const begin = host.now();
    let calls = 0;
    await new Promise<void>((resolve) => {
      host.setTimer(delayNs, () => {
        calls++;
        resolve();
      });
    });
    // Less than 1 ms of the delay may be left, which the clock then waits for by itself.
    expect(host.now() - begin).toBeGreaterThan(delayNs - 1.1 * MS);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(1);
  });

  it.each([0, MS])('does not call back when it was cleared (%d ns)', async (delayNs) => {
    const host = new NodeHostTime();
    let calls = 0;
    host.setTimer(delayNs, () => calls++);
    host.clearTimer();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(0);
  });
});
