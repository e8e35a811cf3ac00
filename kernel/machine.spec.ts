import { describe, expect, it } from 'vitest';
import { Machine } from './machine.js';
import { preemptPoint } from './sched/core.js';
import { DONE } from './sched/coroutine.js';
import { MonotonicClock } from './time/clock.js';

describe('a machine', () => {
  it('does not let code that runs in it move its time on', () => {
    const machine = new Machine();
    machine.runTask(function* () {
      expect(() => machine.advance(1000)).toThrow(/runs in the model/);
      expect(() => machine.runTask(function* () {})).toThrow(/runs in the model/);
      yield* preemptPoint();
    });
    expect(machine.clock.now()).toBe(0);
  });

  it('reacts to what a batch has done before it threw', () => {
    const machine = new Machine();
    let calls = 0;
    const broken = () => {
      machine.bootCpu.callFunction(() => {
        calls++;
        return DONE;
      });
      expect(calls).toBe(0);
      throw new Error('broken');
    };
    expect(() => machine.batch(broken)).toThrow('broken');
    expect(calls).toBe(1);
  });

  it('refuses options that are no length of time', () => {
    expect(() => new Machine({ sliceNs: Number.NaN })).toThrow(/sliceNs NaN/);
    expect(() => new Machine({ hungTaskTimeoutSecs: -1 })).toThrow(/hungTaskTimeoutSecs -1/);
  });

  it('in real time gives the host its turn after one slice, however many alarms are due', () => {
    let now = 0;
    let turn = () => {};
    const clock = new MonotonicClock({
      now: () => {
        now += 1000;
        return now;
      },
      setTimer: (_, callback) => {
        turn = callback;
      },
      clearTimer: () => {},
    });
    const machine = new Machine({ clock, sliceNs: 1_000_000 });
    for (let i = 0; i < 20; i++) clock.createAlarm(() => machine.bootCpu.kick()).schedule(0);
    machine.spawn('busy', function* () {
      for (;;) yield* preemptPoint();
    });
    const before = now;
    turn();
    expect(now - before).toBeGreaterThan(900_000);
    expect(now - before).toBeLessThan(1_500_000);
  });
});
