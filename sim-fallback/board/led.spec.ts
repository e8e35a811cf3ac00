// LEDs: lit or not, how often, and for what part of the time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { LED_LOG_MAX, Led } from './led.js';

describe('Led', () => {
  it('is lit by a driven high pad, not by a pull', () => {
    const led = new Led('led1', new VirtualClock(), false);
    led.padChanged(1, false);
    expect(led.lit).toBe(false);
    led.padChanged(1, true);
    expect(led.lit).toBe(true);
    led.padChanged(0, true);
    expect(led.lit).toBe(false);
  });

  it('is lit by a driven low pad when it is wired to 3.3 V', () => {
    const led = new Led('led1', new VirtualClock(), true);
    led.padChanged(0, true);
    expect(led.lit).toBe(true);
    led.padChanged(0, false);
    expect(led.lit).toBe(false);
  });

  it('tells and remembers its changes with their times', () => {
    const clock = new VirtualClock();
    const led = new Led('led1', clock, false);
    const heard: [boolean, number][] = [];
    const stop = led.onChange((lit, atNs) => heard.push([lit, atNs]));
    for (const level of [0, 1, 1, 0] as const) {
      clock.advance(10);
      led.padChanged(level, true);
    }
    stop();
    clock.advance(10);
    led.padChanged(1, true);
    expect(heard).toEqual([
      [true, 20],
      [false, 40],
    ]);
    expect(led.log()).toEqual([
      { atNs: 20, lit: true },
      { atNs: 40, lit: false },
      { atNs: 50, lit: true },
    ]);
    expect(led.changes).toBe(3);
  });

  it('gives the part of a window in which it was lit', () => {
    const clock = new VirtualClock(1000);
    const led = new Led('led1', clock, false);
    expect(led.duty(100)).toBe(0);
    clock.advance(100);
    led.padChanged(1, true);
    clock.advance(50);
    expect(led.duty(100)).toBe(0.5);
    expect(led.duty(1e9)).toBeCloseTo(50 / 150, 12);
    led.padChanged(0, true);
    clock.advance(50);
    expect(led.duty(50)).toBe(0);
    expect(led.duty(80)).toBe(30 / 80);
    expect(led.onNs).toBe(50);
    expect(() => led.duty(0)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('says so when a window reaches back further than its log', () => {
    const clock = new VirtualClock();
    const led = new Led('led1', clock, false);
    for (let i = 0; i < LED_LOG_MAX + 2; i++) {
      clock.advance(10);
      led.padChanged(i % 2 === 0 ? 1 : 0, true);
    }
    expect(led.log()).toHaveLength(LED_LOG_MAX);
    expect(() => led.duty(20 * LED_LOG_MAX)).toThrow(expect.objectContaining({ code: 'ERANGE', subject: 'led1' }));
    expect(led.duty(1000)).toBe(0.5);
  });

  it('adds up the same time over its life and over a window of all its life', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1000 })), { minLength: 1 }), (steps) => {
        const clock = new VirtualClock();
        const led = new Led('led1', clock, false);
        let on = 0;
        for (const [high, ns] of steps) {
          led.padChanged(high ? 1 : 0, true);
          clock.advance(ns);
          if (high) on += ns;
        }
        expect(led.onNs).toBe(on);
        expect(led.duty(1e12)).toBe(on / clock.now());
      }),
    );
  });
});
