import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { localIrqDisable, localIrqEnable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context } from '../sched/current.js';
import { MonotonicClock } from './clock.js';
import { mdelay, udelay, usleepRange } from './delay.js';
import {
  HRTIMER_MODE_ABS,
  HRTIMER_MODE_ABS_SOFT,
  HRTIMER_MODE_REL,
  HRTIMER_MODE_SOFT,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerActive,
  hrtimerCallbackRunning,
  hrtimerCancel,
  hrtimerForwardNow,
  hrtimerGetExpires,
  hrtimerGetRemaining,
  hrtimerIsQueued,
  hrtimerRestart,
  hrtimerSetExpires,
  hrtimerStart,
  hrtimerStartExpires,
  hrtimerStartRangeNs,
  hrtimerTryToCancel,
} from './hrtimer.js';

function rig() {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ printk: (_level, text) => printed.push(text) });
  const us = () => machine.clock.now() / 1000;
  const timer = (id: string, soft = false) =>
    new Hrtimer(
      () => {
        log.push(`${id} ${context()} ${us()}`);
        return HRTIMER_NORESTART;
      },
      soft ? HRTIMER_MODE_SOFT : HRTIMER_MODE_ABS,
    );
  const start = (target: Hrtimer, at: number) =>
    hrtimerStart(target, at * 1000, target.soft ? HRTIMER_MODE_ABS_SOFT : HRTIMER_MODE_ABS);
  const run = (body: () => Coroutine<void> | void) => {
    machine.runTask(function* () {
      const result = body();
      if (result !== undefined) yield* result;
      yield* mdelay(20);
    });
    return log;
  };
  return { log, printed, machine, us, timer, start, run };
}

/** The recording 42-hrtimer-order. */
describe('hrtimers', () => {
  it('of one time are called in the order in which they were started', () => {
    const { timer, start, run } = rig();
    const log = run(() => {
      for (const id of [2, 0, 1]) start(timer(String(id)), 5000);
    });
    expect(log).toEqual(['2 hardirq 5000', '0 hardirq 5000', '1 hardirq 5000']);
  });

  it('hard ones come first, in the interrupt, soft ones behind it, by their time', () => {
    const { timer, start, run } = rig();
    const log = run(function* () {
      start(timer('s0', true), 5000);
      start(timer('h1'), 5000);
      start(timer('s2', true), 4900);
      start(timer('h3'), 5000);
      localIrqDisable();
      yield* mdelay(7);
      localIrqEnable();
      yield* preemptPoint();
    });
    expect(log).toEqual(['h1 hardirq 7000', 'h3 hardirq 7000', 's2 softirq 7000', 's0 softirq 7000']);
  });

  it('move on by whole periods, and say how many they missed', () => {
    const { log, us, start, run } = rig();
    let n = 0;
    const timer = new Hrtimer((self) => {
      log.push(`${us()}: ${hrtimerForwardNow(self, 2_000_000)}`);
      return ++n < 4 ? HRTIMER_RESTART : HRTIMER_NORESTART;
    });
    run(function* () {
      start(timer, 2000);
      localIrqDisable();
      yield* mdelay(7);
      localIrqEnable();
    });
    expect(log).toEqual(['7000: 3', '8000: 1', '10000: 1', '12000: 1']);
  });

  it('that are queued cannot be moved on, which is warned of each time', () => {
    const { printed, timer, run } = rig();
    const once = timer('once');
    const log = run(function* () {
      hrtimerStart(once, 2_000_000, HRTIMER_MODE_REL);
      expect(hrtimerForwardNow(once, 1_000_000)).toBe(0);
      expect(printed).toEqual([]);
      localIrqDisable();
      yield* mdelay(3);
      expect([hrtimerForwardNow(once, 1_000_000), hrtimerForwardNow(once, 1_000_000)]).toEqual([0, 0]);
      localIrqEnable();
      yield* preemptPoint();
    });
    expect(printed.map((text) => /at (?:\S+ )?(\w+)$/m.exec(text)?.[1])).toEqual([
      'hrtimer_forward',
      'hrtimer_forward',
    ]);
    expect(log).toEqual(['once hardirq 3000']);
  });

  it('started in another mode than they were made for warn once, and keep their context', () => {
    const { printed, timer, run } = rig();
    const log = run(() => {
      for (const id of ['a', 'b']) hrtimerStart(timer(id, true), 1_000_000, HRTIMER_MODE_REL);
    });
    expect(printed.length).toBe(1);
    expect(printed[0]).toMatch(/WARNING: .*hrtimer_start_range_ns/);
    expect(log).toEqual(['a softirq 1000', 'b softirq 1000']);
  });

  it('are started for the time that they were given, and again for the time that they had', () => {
    const { timer, run } = rig();
    const log = run(function* () {
      const set = timer('set');
      hrtimerSetExpires(set, 2_000_000);
      hrtimerStartExpires(set, HRTIMER_MODE_ABS);
      expect([hrtimerIsQueued(set), hrtimerCallbackRunning(set), hrtimerGetExpires(set)]).toEqual([
        true,
        false,
        2_000_000,
      ]);
      expect(() => hrtimerSetExpires(set, 3)).toThrow(/is queued/);
      expect(yield* hrtimerCancel(set)).toBe(1);
      hrtimerRestart(set);
      hrtimerStartRangeNs(timer('range'), 3_000_000, 500_000, HRTIMER_MODE_ABS);
    });
    expect(log).toEqual(['set hardirq 2000', 'range hardirq 3500']);
  });

  it('tell whether they are active', () => {
    const { timer, run } = rig();
    run(function* () {
      const idle = timer('x');
      expect([hrtimerTryToCancel(idle), hrtimerActive(idle)]).toEqual([0, false]);
      hrtimerStart(idle, 1_000_000, HRTIMER_MODE_REL);
      expect([hrtimerActive(idle), hrtimerGetRemaining(idle), hrtimerTryToCancel(idle)]).toEqual([true, 1_000_000, 1]);
      expect(hrtimerTryToCancel(idle)).toBe(0);
      yield* preemptPoint();
    });
  });

  it('may take time in their function, with the CPU', () => {
    const { log, us, timer, start, run } = rig();
    const slow = new Hrtimer(function* () {
      yield* udelay(300);
      log.push(`slow ${context()} ${us()}`);
      return HRTIMER_NORESTART;
    });
    run(() => {
      start(slow, 1000);
      start(timer('next'), 1100);
    });
    expect(log).toEqual(['slow hardirq 1300', 'next hardirq 1300']);
  });

  it('with a range wait for its end, unless the CPU handles another timer within it', () => {
    const { log, us, timer, start, machine } = rig();
    machine.runTask(function* () {
      yield* usleepRange(100, 200);
      log.push(`alone ${us()}`);
      start(timer('other'), 350);
      yield* usleepRange(100, 300);
      log.push(`along ${us()}`);
      hrtimerStartRangeNs(timer('last'), 10_000, 5_000, HRTIMER_MODE_REL);
      yield* mdelay(1);
    });
    expect(log).toEqual(['alone 200', 'other hardirq 350', 'along 350', 'last hardirq 365']);
  });

  it('refuse a range that ends before it begins', () => {
    const { timer, run } = rig();
    run(() => {
      expect(() => hrtimerStartRangeNs(timer('x'), 1000, -1, HRTIMER_MODE_REL)).toThrow(/EINVAL|range of -1 ns/);
    });
  });

  it('stay on their CPU when another one starts them while they run, and are waited for there', () => {
    const log: string[] = [];
    const machine = new Machine({ cpus: 2 });
    const us = () => machine.clock.now() / 1000;
    const slow = new Hrtimer(function* () {
      log.push(`begins ${us()}`);
      yield* udelay(500);
      log.push(`ends ${us()}`);
      return HRTIMER_NORESTART;
    });
    const on = (cpu: number, body: () => Coroutine<void>) => machine.spawn('t', body, { cpusAllowed: 1 << cpu });
    on(0, function* () {
      hrtimerStart(slow, 0, HRTIMER_MODE_REL);
      yield* mdelay(2);
    });
    on(1, function* () {
      yield* udelay(100);
      hrtimerStart(slow, 50_000, HRTIMER_MODE_REL);
      yield* udelay(500);
      expect(yield* hrtimerCancel(slow)).toBe(0);
      log.push(`cancelled ${us()}`);
    });
    machine.advance(5_000_000);
    expect(log).toEqual(['begins 0', 'ends 500', 'begins 500', 'ends 1000', 'cancelled 1000']);
  });

  it('that start themselves again for the past leave the host its turn', () => {
    let now = 0;
    let calls = 0;
    let turn = () => {};
    const host = {
      now: () => now++ * 1000,
      setTimer: (_: number, callback: () => void) => {
        turn = callback;
      },
      clearTimer: () => {},
    };
    const machine = new Machine({ clock: new MonotonicClock(host) });
    const again = new Hrtimer(() => {
      if (++calls > 100_000) throw new Error('the host waits in vain');
      return HRTIMER_RESTART;
    });
    machine.spawn('t', () => hrtimerStart(again, 0, HRTIMER_MODE_ABS));
    turn();
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThan(2000);
  });
});
