import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, VirtualClock } from '../time/clock.js';
import { LastLook } from '../time/last-look.js';
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

/** Steps of a CPU: how long each takes, and whether the clock is read at its end, for a record. */
const steps = fc.array(fc.tuple(fc.nat(3_000_000), fc.boolean()), { minLength: 5, maxLength: 60 });

function sliceOf(clock: FakeClock) {
  const look = new LastLook(clock);
  return { look, slice: new HostSlice(clock, look, SLICE_NS) };
}

/** Runs steps in which code of others runs until the slice is used up; how long it was, and the longest step in it. */
function run(
  clock: FakeClock,
  { look, slice }: ReturnType<typeof sliceOf>,
  todo: readonly (readonly [number, boolean])[],
) {
  const begin = clock.timeNs;
  let longest = 0;
  let over = false;
  look.othersDone();
  for (const [ns, reads] of todo) {
    longest = Math.max(longest, ns);
    look.others();
    clock.timeNs += ns;
    look.othersDone();
    if (reads) look.renew();
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
        const timed = sliceOf(clock);
        clock.turn = 1;
        clock.now();
        timed.slice.begin();
        const { elapsed, longest, over } = run(clock, timed, todo);
        expect(elapsed).toBeLessThanOrEqual(SLICE_NS + longest);
        expect(over).toBe(elapsed >= SLICE_NS);
      }),
    );
  });

  it('begins for an edge of the hardware with the first step, and ends with the step that uses it up', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const clock = new FakeClock();
        const timed = sliceOf(clock);
        clock.timeNs += 5_000_000;
        timed.slice.begin();
        const { elapsed, longest } = run(clock, timed, todo);
        expect(elapsed).toBeLessThanOrEqual(SLICE_NS + 2 * longest);
      }),
    );
  });

  it('reads the clock itself only behind a step with code of others that was not followed by a record', () => {
    const clock = new FakeClock();
    const { look, slice } = sliceOf(clock);
    look.othersDone();
    slice.begin();
    look.others();
    clock.timeNs += 100;
    look.othersDone();
    look.renew();
    clock.timeNs += 50;
    slice.stepDone();
    expect(clock.lastNs).toBe(1_100);
    look.others();
    look.othersDone();
    slice.stepDone();
    expect(clock.lastNs).toBe(1_150);
  });
});
