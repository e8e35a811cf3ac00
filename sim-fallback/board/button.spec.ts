// Buttons: presses, holds, and bounce that can be repeated.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MonotonicClock, VirtualClock } from '../../kernel/time/clock.js';
import { BOUNCE_TRACE_MAX, drawBounces } from './bounce.js';
import { Button, type PressOptions } from './button.js';
import { mulberry32 } from './prng.js';

function makeButton(seed = 1) {
  const clock = new VirtualClock();
  const contacts: [boolean, number][] = [];
  const button = new Button('button1', clock, mulberry32(seed), (closed) => contacts.push([closed, clock.now()]));
  return { clock, button, contacts };
}

describe('Button', () => {
  it('closes its contact while it is pressed', () => {
    const { clock, button, contacts } = makeButton();
    button.press();
    expect(button.pressed).toBe(true);
    clock.advance(50);
    button.release();
    button.release();
    expect(button.pressed).toBe(false);
    expect(contacts).toEqual([
      [true, 0],
      [false, 50],
    ]);
  });

  it('lets go by itself after the hold time', () => {
    const { clock, button, contacts } = makeButton();
    button.press({ holdNs: 80 });
    clock.advance(1000);
    expect(contacts).toEqual([
      [true, 0],
      [false, 80],
    ]);
    button.press({ holdNs: 80 });
    clock.advance(10);
    button.release();
    clock.advance(1000);
    expect(contacts.slice(2)).toEqual([
      [true, 1000],
      [false, 1010],
    ]);
  });

  it('tells of each press whether its contact is still to move, whoever presses next', () => {
    const { clock, button } = makeButton();
    const first = button.press({ holdNs: 20e6, bounce: true });
    expect(first()).toBe(true);
    clock.advance(20e6);
    expect([button.pressed, first()]).toEqual([false, true]);
    const second = button.press({ holdNs: 1e9 });
    expect([first(), second()]).toEqual([false, true]);
    clock.advance(1e9);
    expect(second()).toBe(false);
  });

  it('keeps the distances of its bounces, and of the release, where the process stands still in real time', () => {
    const traceOf = (stallNs: () => number): [boolean, number][] => {
      let timeNs = 0;
      let fire = (): void => {};
      const clock = new MonotonicClock({
        now: () => timeNs,
        setTimer: (delayNs, callback) => {
          fire = () => {
            timeNs += delayNs + stallNs();
            callback();
          };
        },
        clearTimer: () => {
          fire = () => {};
        },
      });
      const contacts: [boolean, number][] = [];
      const button = new Button('button1', clock, mulberry32(7), (closed) => contacts.push([closed, timeNs]));
      button.press({ holdNs: 20e6, bounce: true });
      for (let i = 0; i < 2 * BOUNCE_TRACE_MAX + 2; i++) fire();
      return contacts;
    };
    const distances = (contacts: [boolean, number][]): number[] =>
      contacts.map(([, atNs], i) => atNs - (contacts[i - 1]?.[1] ?? 0));
    const onTime = distances(traceOf(() => 0));
    expect(onTime.length).toBeGreaterThan(6);
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(100e6)), (stalls) => {
        const late = distances(traceOf(() => Number(stalls.next().value)));
        expect(late).toHaveLength(onTime.length);
        late.forEach((ns, i) => {
          expect(ns).toBeGreaterThanOrEqual(onTime[i] ?? 0);
        });
      }),
      { numRuns: 20 },
    );
  });

  it('holds for the whole time also when time passes before the contact has moved', () => {
    const clock = new VirtualClock();
    const contacts: [boolean, number][] = [];
    const button = new Button('button1', clock, mulberry32(1), (closed) => {
      // A process that stands still here, in real time.
      if (closed) clock.advance(500);
      contacts.push([closed, clock.now()]);
    });
    button.press({ holdNs: 80 });
    clock.advance(1000);
    expect(contacts).toEqual([
      [true, 500],
      [false, 580],
    ]);
  });

  it('refuses a second press, and options out of range, and stays as it was', () => {
    const { button, contacts } = makeButton();
    for (const options of [
      { holdNs: 0 },
      { holdNs: 1.5 },
      { bounce: { maxBounces: 0 } },
      { bounce: { maxBounces: 33 } },
      { bounce: { settleNs: 9999 } },
    ] satisfies PressOptions[]) {
      expect(() => button.press(options)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    }
    expect(contacts).toEqual([]);
    button.press();
    expect(() => button.press()).toThrow(expect.objectContaining({ code: 'EBUSY', subject: 'button1' }));
    expect(contacts).toEqual([[true, 0]]);
  });

  it('bounces, then rests in its new place; the same seed gives the same edges', () => {
    const run = (seed: number) => {
      const { clock, button, contacts } = makeButton(seed);
      for (let i = 0; i < 10; i++) {
        button.press({ holdNs: 20_000_000, bounce: true });
        clock.advance(40_000_000);
      }
      return contacts;
    };
    const contacts = run(7);
    expect(contacts.length).toBeGreaterThan(40);
    expect(run(7)).toEqual(contacts);
    expect(run(8)).not.toEqual(contacts);
  });

  it('ends the bounce of a press when it is let go, and that of a release when it is pressed', () => {
    const { clock, button, contacts } = makeButton();
    const bounce = { maxBounces: 32, settleNs: 1_000_000 };
    for (let i = 0; i < 50; i++) {
      button.press({ bounce });
      clock.advance(20_000);
      button.release({ bounce });
      clock.advance(20_000);
    }
    clock.advance(1_000_000);
    expect(contacts.at(-1)?.[0]).toBe(false);
    expect(clock.nextDueNs).toBe(Number.POSITIVE_INFINITY);
  });

  it('alternates its contact, ends where the finger is, and settles in time, whatever is done to it', () => {
    const bounce = fc.oneof(
      fc.boolean(),
      fc.record({ maxBounces: fc.integer({ min: 1, max: 32 }), settleNs: fc.integer({ min: 10_000, max: 3_000_000 }) }),
    );
    const move = fc.record({
      bounce,
      holdNs: fc.integer({ min: 1, max: 5_000_000 }),
      wait: fc.nat({ max: 6_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 20 }), fc.integer(), (moves, seed) => {
        const { clock, button, contacts } = makeButton(seed);
        for (const { bounce: kind, holdNs, wait } of moves) {
          if (button.pressed) button.release({ bounce: kind });
          else button.press({ bounce: kind, holdNs });
          clock.advance(wait);
        }
        clock.advance(10_000_000);
        expect(contacts.map(([closed]) => closed)).toEqual(contacts.map((_, i) => i % 2 === 0));
        expect(contacts.at(-1)?.[0] ?? false).toBe(false);
        expect(button.pressed).toBe(false);
        for (let i = 2; i < contacts.length; i++) {
          expect(contacts[i]?.[1] ?? 0).toBeGreaterThanOrEqual(contacts[i - 1]?.[1] ?? 0);
        }
      }),
    );
  });
});

describe('drawBounces', () => {
  it('gives whole times that rise strictly, an even number of them, within the settle time', () => {
    const into = new Float64Array(BOUNCE_TRACE_MAX);
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 32 }),
        fc.integer({ min: 10_000, max: 1_000_000_000 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (seed, maxBounces, settleNs, spacing) => {
          const n = drawBounces({ maxBounces, settleNs, spacing }, mulberry32(seed), into);
          expect(n % 2).toBe(0);
          expect(n).toBeGreaterThanOrEqual(2);
          expect(n).toBeLessThanOrEqual(2 * maxBounces);
          let before = 0;
          for (const time of into.subarray(0, n)) {
            expect(Number.isInteger(time)).toBe(true);
            expect(time).toBeGreaterThan(before);
            before = time;
          }
          expect(before).toBeLessThanOrEqual(settleNs);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('mulberry32', () => {
  it('gives the numbers of the published generator for seed 1', () => {
    const prng = mulberry32(1);
    expect([prng(), prng(), prng()].map((x) => x * 0x1_0000_0000)).toEqual([2_693_262_067, 11_749_833, 2_265_367_787]);
  });

  it('spreads over the unit interval', () => {
    const prng = mulberry32(42);
    const bins = new Uint32Array(10);
    for (let i = 0; i < 100_000; i++) {
      const bin = Math.floor(prng() * 10);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
