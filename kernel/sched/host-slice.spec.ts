import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, VirtualClock } from '../time/clock.js';
import { HostSlice } from './host-slice.js';

const SLICE_NS = 2_000_000;

/** A clock that moves on when it is told to, and knows what it said last. */
class FakeClock implements Clock {
  timeNs = 1_000;
  lastNs = 1_000;
  turn = 0;

  now(): number {
    this.lastNs = this.timeNs;
    return this.timeNs;
  }

  createAlarm(callback: () => void) {
    return new VirtualClock().createAlarm(callback);
  }

  endTurn(): void {}
  hold(): void {}
  release(): void {}
}

/** Steps of a CPU: how long each takes, and whether it reads the clock at its end. */
const steps = fc.array(fc.tuple(fc.nat(3_000_000), fc.boolean()), { minLength: 5, maxLength: 60 });

/** Runs steps until the slice is used up; how long it was, and the longest step in it. */
function run(clock: FakeClock, slice: HostSlice, todo: readonly (readonly [number, boolean])[]) {
  const begin = clock.timeNs;
  let longest = 0;
  let over = false;
  for (const [ns, reads] of todo) {
    longest = Math.max(longest, ns);
    clock.timeNs += ns;
    if (reads) clock.now();
    over = slice.stepDone();
    if (over) break;
  }
  return { elapsed: clock.timeNs - begin, longest, over };
}

describe('a slice of real time', () => {
  it('ends with the step that uses it up, for all alarms of a turn', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const clock = new FakeClock();
        const slice = new HostSlice(clock, SLICE_NS);
        clock.turn = 1;
        clock.now();
        slice.begin();
        const { elapsed, longest, over } = run(clock, slice, todo);
        expect(elapsed).toBeLessThanOrEqual(SLICE_NS + longest);
        expect(over).toBe(elapsed >= SLICE_NS);
      }),
    );
  });

  it('begins for an edge of the hardware with the first step, and ends with the step that uses it up', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const clock = new FakeClock();
        const slice = new HostSlice(clock, SLICE_NS);
        clock.timeNs += 5_000_000;
        slice.begin();
        const { elapsed, longest } = run(clock, slice, todo);
        expect(elapsed).toBeLessThanOrEqual(SLICE_NS + 2 * longest);
      }),
    );
  });

  it('reads the clock itself only behind a step that did not', () => {
    const clock = new FakeClock();
    const slice = new HostSlice(clock, SLICE_NS);
    slice.begin();
    clock.timeNs += 100;
    clock.now();
    clock.timeNs += 50;
    slice.stepDone();
    expect(clock.lastNs).toBe(1_100);
    slice.stepDone();
    expect(clock.lastNs).toBe(1_150);
  });
});
