// Slots: so many at once, the others in order, and none lost.

import { describe, expect, it } from 'vitest';
import { Slots } from './slots.js';

const never = new AbortController().signal;

describe('slots', () => {
  it('run so many at once, and the others in the order in which they came', async () => {
    const slots = new Slots(2);
    const ends: (() => void)[] = [];
    const begun: number[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      slots.run(() => {
        begun.push(n);
        return new Promise<number>((resolve) => ends.push(() => resolve(n)));
      }, never),
    );
    await expect.poll(() => begun).toEqual([0, 1]);
    expect(slots.waiting).toBe(2);
    ends[1]?.();
    await expect.poll(() => begun).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
    ends[3]?.();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('have a place again after a task that failed', async () => {
    const slots = new Slots(1);
    await expect(slots.run(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
    expect(await slots.run(async () => 1, never)).toBe(1);
  });

  it('let those go that wait when they are told to, and keep the others in line', async () => {
    const slots = new Slots(1);
    const controller = new AbortController();
    let end: () => void = () => {};
    const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)), never);
    const given = slots.run(async () => 'given', controller.signal);
    const kept = slots.run(async () => 'kept', never);
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'EINTR' });
    end();
    await first;
    expect(await kept).toBe('kept');
    expect(slots.waiting).toBe(0);
  });
});
