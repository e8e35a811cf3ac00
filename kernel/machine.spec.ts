import { describe, expect, it } from 'vitest';
import { Machine } from './machine.js';
import { preemptPoint, schedule } from './sched/core.js';
import { DONE, type Outcome } from './sched/coroutine.js';
import { current } from './sched/current.js';
import { TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE } from './sched/task.js';
import { MonotonicClock } from './time/clock.js';
import { msleep } from './time/delay.js';
import { HRTIMER_MODE_REL, HRTIMER_RESTART, Hrtimer, hrtimerForwardNow, hrtimerStart } from './time/hrtimer.js';

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

  it('tells a deadlock from a long run also while a periodic timer lives', () => {
    const machine = new Machine();
    const periodic: Hrtimer = new Hrtimer(() => {
      hrtimerForwardNow(periodic, 1_000_000_000);
      return HRTIMER_RESTART;
    });
    const sleep = (state: number) =>
      function* () {
        current().state = state;
        yield* schedule();
      };
    machine.runTask(() => hrtimerStart(periodic, 1_000_000_000, HRTIMER_MODE_REL));
    expect(() => machine.runTask(sleep(TASK_UNINTERRUPTIBLE), 'stuck')).toThrow(
      /^task stuck\/\d+ sleeps, and is reported/,
    );
    expect(machine.clock.now()).toBe(120e9);
    const limited = () => machine.runTask(sleep(TASK_INTERRUPTIBLE), 'stuck', { limitNs: 5e9 });
    expect(limited).toThrow(/^task stuck\/\d+ sleeps, and is not done after 5 s\n stuck\/\d+ \(S\) sleeps until/);
    expect(machine.clock.now()).toBe(125e9);
    expect(() => machine.runTask(sleep(TASK_INTERRUPTIBLE), 'stuck')).toThrow(/not done after 86400 s/);
    machine.runTask(() => msleep(300_000));
  });

  it.each(['printk', 'onOops'] as const)('passes on what %s throws when its CPUs are at rest again', (option) => {
    const failing = () => {
      throw new Error('disk full');
    };
    const machine = new Machine({ [option]: failing });
    const { bootCpu } = machine;
    const broken = () => {
      throw new Error('handler');
    };
    expect(() => bootCpu.callFunction(broken)).toThrow('disk full');
    expect([bootCpu.preemptCount, bootCpu.irqsEnabled]).toEqual([new Machine().bootCpu.preemptCount, true]);
    const twice = () =>
      machine.batch(() => {
        for (let i = 0; i < 2; i++) bootCpu.callFunction(broken);
      });
    expect(twice).toThrow('2 reports to the host failed');
    expect(machine.runTask(() => 5)).toBe(5);
  });

  it('goes on with what is left after it was stopped in a circle', () => {
    const machine = new Machine();
    let turns = 3_000_000;
    const spin = () =>
      machine.spawn('spinner', function* () {
        for (; turns > 0; turns--) yield* preemptPoint();
      });
    expect(spin).toThrow('no end of work');
    expect(turns).toBeGreaterThan(0);
    machine.pump();
    expect(turns).toBe(0);
  });

  it('takes a task for hung never when the time-out is infinite', () => {
    const machine = new Machine({ hungTaskTimeoutSecs: Number.POSITIVE_INFINITY });
    machine.runTask(() => msleep(300_000));
    expect(machine.clock.now()).toBeGreaterThan(300e9);
  });

  it('refuses options that are no length of time', () => {
    expect(() => new Machine({ sliceNs: Number.NaN })).toThrow(/sliceNs NaN/);
    expect(() => new Machine({ hungTaskTimeoutSecs: -1 })).toThrow(/hungTaskTimeoutSecs -1/);
  });
});

/** A machine in real time, in which each look at the clock takes a µs, and work what it is told to. */
function realTime() {
  let now = 0;
  let looks = 0;
  let turn = () => {};
  const clock = new MonotonicClock({
    now: () => {
      looks++;
      now += 1000;
      return now;
    },
    setTimer: (_, callback) => {
      turn = callback;
    },
    clearTimer: () => {},
  });
  const machine = new Machine({ clock, sliceNs: 2_000_000 });
  const work = (ns: number): void => {
    now += ns;
  };
  /** Ns that the host waits for its next turn. */
  const turnNs = (): number => {
    const before = now;
    turn();
    return now - before;
  };
  return { machine, clock, work, turnNs, looks: () => looks };
}

describe('a slice of real time', () => {
  it('is one for all alarms that are due in a turn', () => {
    const { machine, clock, turnNs } = realTime();
    for (let i = 0; i < 20; i++) clock.createAlarm(() => machine.bootCpu.kick()).schedule(0);
    machine.spawn('busy', function* () {
      for (;;) yield* preemptPoint();
    });
    const ns = turnNs();
    expect(ns).toBeGreaterThan(1_900_000);
    expect(ns).toBeLessThan(2_100_000);
  });

  it('ends in time also for alarms that have few steps each to do', () => {
    const { machine, clock, work, turnNs } = realTime();
    let calls = 0;
    const handler = (): Outcome => {
      calls++;
      work(100_000);
      return DONE;
    };
    for (let i = 0; i < 1000; i++) clock.createAlarm(() => machine.bootCpu.callFunction(handler)).schedule(0);
    // The slice, a tenth of it for interrupts, and the handler that uses that up.
    for (let i = 0; i < 100; i++) expect(turnNs()).toBeLessThan(2_350_000);
    expect(calls).toBe(1000);
  });

  it('lets interrupts in once it is used up, so that hardware is answered before it goes on', () => {
    const { machine, clock, turnNs } = realTime();
    machine.spawn('busy', function* () {
      for (;;) yield* preemptPoint();
    });
    const log: string[] = [];
    const raise = (name: string) => () => {
      log.push(`${name} raised`);
      machine.bootCpu.callFunction(() => {
        log.push(`${name} taken`);
        return DONE;
      });
    };
    clock.createAlarm(() => machine.bootCpu.kick()).schedule(0);
    clock.createAlarm(raise('first')).schedule(0);
    clock.createAlarm(raise('second')).schedule(0);
    expect(turnNs()).toBeLessThan(2_100_000);
    expect(log).toEqual(['first raised', 'first taken', 'second raised', 'second taken']);
  });

  it('ends in time also for slow handlers', () => {
    const { machine, clock, work, turnNs } = realTime();
    machine.spawn('slow', function* () {
      for (;;) {
        yield* preemptPoint();
        work(1_000_000);
      }
    });
    clock.createAlarm(() => machine.bootCpu.kick()).schedule(0);
    for (let i = 0; i < 3; i++) expect(turnNs()).toBeLessThan(3_100_000);
  });

  it('has no edge wait for a look at the clock', () => {
    const { machine, looks } = realTime();
    const { bootCpu } = machine;
    const seen: number[] = [];
    for (let i = 0; i < 40; i++) {
      bootCpu.callFunction(() => {
        seen.push(looks());
        return DONE;
      });
    }
    const apart = seen.slice(1).map((count, i) => count - (seen[i] ?? 0));
    // The two are those of the CPU's accounting, at entry and at exit.
    expect(apart).toEqual(Array.from(apart, () => 2));
  });
});
