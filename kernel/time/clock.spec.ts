import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlarmQueue, type Clock, MonotonicClock, VirtualClock } from './clock.js';

/** Alarms, each set again by its own callback `again` times. */
const alarms = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 50 }),
    again: fc.integer({ min: 0, max: 3 }),
    every: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 20 },
);

function arm(clock: Clock, specs: { at: number; again: number; every: number }[]): string[] {
  const log: string[] = [];
  for (const [id, { at, again, every }] of specs.entries()) {
    let left = again;
    const alarm = clock.createAlarm(() => {
      log.push(`${id}@${clock.now()}`);
      if (left-- > 0) alarm.schedule(clock.now() + every);
    });
    alarm.schedule(at);
  }
  return log;
}

describe('virtual time', () => {
  it('calls alarms by deadline, then in the order in which they were set', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 })), (deadlines) => {
        const clock = new VirtualClock();
        const fired: [number, number][] = [];
        for (const [id, at] of deadlines.entries()) {
          clock.createAlarm(() => fired.push([at, id])).schedule(at);
        }
        clock.advance(5);
        expect(fired).toEqual(
          deadlines.map((at, id): [number, number] => [at, id]).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
      }),
    );
  });

  it('is the same in two steps as in one', () => {
    fc.assert(
      fc.property(alarms, fc.nat(60), fc.nat(60), (specs, a, b) => {
        const [one, two] = [new VirtualClock(), new VirtualClock()];
        const [logOne, logTwo] = [arm(one, specs), arm(two, specs)];
        one.advance(a + b);
        two.advance(a);
        two.advance(b);
        expect([logTwo, two.now(), two.nextDueNs]).toEqual([logOne, one.now(), one.nextDueNs]);
      }),
    );
  });

  it('calls no alarm that was cancelled, and one that was set again only at its last time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.option(fc.nat(20)))), (changes) => {
        const clock = new VirtualClock();
        const log: string[] = [];
        const members = [0, 1, 2, 3, 4].map((id) => clock.createAlarm(() => log.push(`${id}@${clock.now()}`)));
        const expected = new Map<number, number>();
        for (const [id, at] of changes) {
          if (at === null) {
            members[id]?.cancel();
            expected.delete(id);
          } else {
            members[id]?.schedule(at);
            expected.set(id, at);
          }
        }
        clock.advance(20);
        expect(log.sort()).toEqual([...expected].map(([id, at]) => `${id}@${at}`).sort());
      }),
    );
  });

  it('refuses what is not a time, and to move while it is held', () => {
    const clock = new VirtualClock();
    expect(() => clock.createAlarm(() => {}).schedule(Number.NaN)).toThrow(/not a time/);
    expect(() => clock.advance(-1)).toThrow(/cannot advance/);
    clock.hold();
    expect(() => clock.advance(1)).toThrow(/held/);
    clock.release();
    clock.advance(1);
    expect(clock.now()).toBe(1);
  });
});

describe('real time', () => {
  it('keeps one timer of the host, for the first alarm, and gives a turn between alarms set for now', () => {
    let now = 0;
    let timer: { at: number; callback: () => void } | undefined;
    const clock = new MonotonicClock({
      now: () => now,
      setTimer: (delayNs, callback) => {
        timer = { at: now + delayNs, callback };
      },
      clearTimer: () => {
        timer = undefined;
      },
    });
    const log: number[] = [];
    const alarm = clock.createAlarm(() => {
      log.push(now);
      if (log.length < 3) alarm.schedule(now);
    });
    alarm.schedule(100);
    clock.createAlarm(() => {}).schedule(500);
    const turn = () => {
      const due = timer;
      now = Math.max(now, due?.at ?? now);
      due?.callback();
    };
    turn();
    expect(log).toEqual([100]);
    turn();
    turn();
    expect([log, timer?.at]).toEqual([[100, 100, 100], 500]);
    clock.createAlarm(() => clock.stop()).schedule(200);
    clock.createAlarm(() => log.push(-1)).schedule(200);
    turn();
    expect(timer).toBeUndefined();
    alarm.schedule(300);
    expect([timer, log.length]).toEqual([undefined, 3]);
  });

  it('an alarm queue says when another alarm has become the first', () => {
    let changes = 0;
    const queue = new AlarmQueue(() => changes++);
    queue.create(() => {}).schedule(10);
    queue.create(() => {}).schedule(20);
    queue.create(() => {}).schedule(5);
    expect([changes, queue.size, queue.nextDueNs]).toEqual([2, 3, 5]);
  });
});

it('alarms are due at whole nanoseconds', () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  clock.createAlarm(() => times.push(clock.now())).schedule(10.2);
  clock.advance(100);
  expect(times).toEqual([11]);
});
