// Bursts are told at once, then once a window, and nothing of them is left out.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bursts } from './bursts.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function rig() {
  const told: string[] = [];
  return { told, bursts: new Bursts((key, count) => told.push(`${key} ${count}`), 100) };
}

describe('Bursts', () => {
  it('tells the first count at once, and the rest of the window as one sum', () => {
    const { told, bursts } = rig();
    for (const count of [5, 1, 2]) bursts.add('a', count);
    expect(told).toEqual(['a 5']);
    vi.advanceTimersByTime(99);
    bursts.add('a', 4);
    expect(told).toEqual(['a 5']);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['a 5', 'a 7']);
  });

  it('goes on window by window while the burst lasts, and is quiet after it', () => {
    const { told, bursts } = rig();
    for (let ms = 0; ms < 250; ms++) {
      bursts.add('a', 1);
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual(['a 1', 'a 99', 'a 100', 'a 50']);
    expect(vi.getTimerCount()).toBe(0);
    bursts.add('a', 3);
    expect(told.at(-1)).toBe('a 3');
  });

  it('keeps its keys apart', () => {
    const { told, bursts } = rig();
    for (const key of ['a', 'b', 'a', 'b']) bursts.add(key, 1);
    expect(told).toEqual(['a 1', 'b 1']);
    vi.advanceTimersByTime(100);
    expect(told).toEqual(['a 1', 'b 1', 'a 1', 'b 1']);
  });

  it('tells at a flush what it has kept, once', () => {
    const { told, bursts } = rig();
    for (let i = 0; i < 3; i++) bursts.add('a', 1);
    bursts.add('b', 1);
    bursts.flush();
    expect(told).toEqual(['a 1', 'b 1', 'a 2']);
    vi.advanceTimersByTime(1_000);
    expect(told).toHaveLength(3);
  });
});
