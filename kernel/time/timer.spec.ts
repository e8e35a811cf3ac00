import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Spinlock, spinLock, spinLockBh, spinUnlock, spinUnlockBh } from '../locking/spinlock.js';
import { Machine } from '../machine.js';
import { preemptDisable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context, irqsDisabled, preemptCount, smpProcessorId } from '../sched/current.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { mdelay, udelay } from './delay.js';
import { jiffies } from './jiffies.js';
import {
  addTimer,
  addTimerGlobal,
  addTimerLocal,
  addTimerOn,
  modTimer,
  modTimerPending,
  TIMER_IRQSAFE,
  TimerList,
  timerDelete,
  timerDeleteSync,
  timerPending,
  timerReduce,
  timerShutdown,
} from './timer.js';

/** Timers 0 to 3 that log themselves, and a base at a tick. */
function rig(hz = 250, cpus = 1) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ hz, cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  let j0 = 0;
  const timers = [0, 1, 2, 3].map((id) => new TimerList(() => void log.push(`${id}@${(jiffies() - j0) | 0}`)));
  const arm = (id: number, n: number) => {
    const timer = timers[id];
    if (timer === undefined) throw new Error(`no timer ${id}`);
    return modTimer(timer, j0 + n);
  };
  const ms = 1000 / hz;
  const run = (body: () => Coroutine<void> | void) =>
    machine.runTask(function* () {
      // The last tick has just gone by.
      yield* udelay(1);
      j0 = jiffies();
      const result = body();
      if (result !== undefined) yield* result;
      yield* mdelay(20 * ms);
    });
  return { log, printed, machine, timers, arm, run, ms };
}

/** The recordings 40-timer-order, for each HZ. */
describe.each([100, 250, 1000])('timers with HZ %i', (hz) => {
  it('run newest first when they expire together, one jiffy later than armed for', () => {
    const { log, arm, run } = rig(hz);
    run(() => {
      expect([2, 0, 3, 1].map((id) => arm(id, 5))).toEqual([0, 0, 0, 0]);
    });
    expect(log).toEqual(['1@6', '3@6', '0@6', '2@6']);
  });

  it('keep their place when armed again for the same time', () => {
    const { log, arm, run } = rig(hz);
    run(() => {
      for (const id of [0, 1, 2]) arm(id, 5);
      expect(arm(0, 5)).toBe(1);
    });
    expect(log).toEqual(['2@6', '1@6', '0@6']);
  });

  it('are the newest when moved away and back', () => {
    const { log, arm, run } = rig(hz);
    run(() => {
      for (const id of [0, 1, 2]) arm(id, 5);
      expect(arm(0, 7)).toBe(1);
      expect(arm(0, 5)).toBe(1);
    });
    expect(log).toEqual(['0@6', '2@6', '1@6']);
  });

  it('run in order of their expiry', () => {
    const { log, arm, run } = rig(hz);
    run(() => {
      for (const id of [0, 1, 2, 3]) arm(id, 8 - id);
    });
    expect(log).toEqual(['3@6', '2@7', '1@8', '0@9']);
  });

  it('that are late run at the next tick', () => {
    const { log, arm, run } = rig(hz);
    run(() => {
      arm(0, -5);
      arm(1, 0);
      arm(2, 1);
      arm(3, -1);
    });
    expect(log).toEqual(['3@1', '0@1', '1@1', '2@2']);
  });

  it('run bucket by bucket when bottom halves were off for long', () => {
    const { log, arm, run, ms } = rig(hz);
    run(function* () {
      arm(0, 3);
      arm(1, 2);
      arm(2, 3);
      arm(3, 1);
      localBhDisable();
      yield* mdelay(6 * ms);
      expect(log).toEqual([]);
      localBhEnable();
      yield* preemptPoint();
    });
    expect(log).toEqual(['3@6', '1@6', '2@6', '0@6']);
  });
});

describe('a timer', () => {
  it('is called in softirq context with interrupts on, TIMER_IRQSAFE with interrupts off', () => {
    const { log, machine, run } = rig();
    const note = () => void log.push(`${context()} ${irqsDisabled()} ${preemptCount().toString(16)}`);
    run(() => {
      modTimer(new TimerList(note), jiffies());
      modTimer(new TimerList(note, TIMER_IRQSAFE), jiffies() + 1);
    });
    expect(log).toEqual(['softirq false 100', 'softirq true 100']);
    expect(machine.bootCpu.irqsEnabled).toBe(true);
  });

  it('whose function takes time holds up those behind it, not the interrupts', () => {
    const { machine, run, arm, log } = rig();
    const slow = new TimerList(function* () {
      machine.bootCpu.callFunction(() => {
        log.push(`interrupt in ${preemptCount().toString(16)}`);
        return 0;
      });
      yield* udelay(500);
      log.push('slow ends');
    });
    run(() => {
      arm(0, 2);
      modTimer(slow, jiffies() + 2);
    });
    expect(log).toEqual(['interrupt in 10100', 'slow ends', '0@3']);
  });

  it('that leaves preempt_count changed is reported, and the count put right (recording 78g)', () => {
    const { printed, machine } = rig();
    machine.runTask(() => {
      modTimer(
        new TimerList(function leaky() {
          preemptDisable();
        }),
        jiffies(),
      );
    });
    machine.advance(20_000_000);
    expect(printed.join('\n')).toMatch(
      /cut here[\s\S]*timer: leaky preempt leak: 00000101 -> 00000102\nWARNING: CPU: 0 PID: 0 at call_timer_fn/,
    );
    expect(machine.bootCpu.preemptCount).toBe(1);
  });

  it('that throws is reported, and the others run', () => {
    const { log, printed, run, arm } = rig();
    run(() => {
      arm(0, 1);
      modTimer(
        new TimerList(() => {
          throw new Error('broken');
        }),
        jiffies() + 1,
      );
    });
    expect(log).toEqual(['0@2']);
    expect(printed[0]).toMatch(/Oops.*timer function[\s\S]*broken/);
  });

  it('can be deleted, reduced and moved only if pending', () => {
    const { log, run, timers, arm } = rig();
    run(() => {
      const [a, b] = timers;
      if (a === undefined || b === undefined) throw new Error('no timers');
      arm(0, 5);
      expect([timerDelete(a), timerDelete(a), modTimerPending(a, jiffies())]).toEqual([1, 0, 0]);
      arm(1, 3);
      expect(timerReduce(b, jiffies() + 9)).toBe(1);
      expect(timerReduce(b, jiffies() + 1)).toBe(1);
    });
    expect(log).toEqual(['1@2']);
  });

  it('that is pending is not added again: a warning, once, and it stays as it was', () => {
    const { log, printed, run, timers, arm } = rig();
    run(() => {
      const [timer] = timers;
      if (timer === undefined) throw new Error('no timer');
      arm(0, 3);
      for (const add of [addTimer, addTimer, addTimerLocal, addTimerGlobal]) add(timer);
      addTimerOn(timer, 0);
      expect(() => addTimerOn(timer, 1)).toThrow(/no CPU 1/);
    });
    expect(log).toEqual(['0@4']);
    const warned = printed.map((text) => /at (?:\S+ )?(\w+)$/m.exec(text)?.[1]);
    expect(warned).toEqual(['add_timer', 'add_timer_local', 'add_timer_global', 'add_timer_on']);
  });

  it('that is pinned runs before all others of its time, and again behind them when it is not any more', () => {
    const { log, run, timers, arm } = rig();
    run(function* () {
      const [first, second] = timers;
      if (first === undefined || second === undefined) throw new Error('no timers');
      first.expires = jiffies() + 2;
      addTimerLocal(first);
      second.expires = jiffies() + 2;
      addTimerOn(second, 0);
      arm(2, 2);
      arm(3, 1);
      yield* mdelay(16);
      expect(log.splice(0)).toEqual(['3@2', '1@3', '0@3', '2@3']);
      first.expires = jiffies() + 1;
      addTimerGlobal(first);
      arm(1, 5);
    });
    expect(log).toEqual(['1@6', '0@6']);
  });

  it('goes to the CPU that its function asks for', () => {
    const { machine } = rig(250, 2);
    const log: string[] = [];
    const hop = new TimerList((timer) => {
      log.push(`CPU ${smpProcessorId()}`);
      if (log.length === 4) return;
      timer.expires = jiffies() + 1;
      addTimerOn(timer, 1 - smpProcessorId());
    });
    machine.runTask(() => void modTimer(hop, jiffies()));
    machine.advance(100_000_000);
    expect(log).toEqual(['CPU 0', 'CPU 1', 'CPU 0', 'CPU 1']);
  });

  it('that is shut down is disarmed, and cannot be armed again', () => {
    const { log, run, timers, arm } = rig();
    run(() => {
      const [timer] = timers;
      if (timer === undefined) throw new Error('no timer');
      arm(0, 2);
      expect([timerShutdown(timer), timerShutdown(timer), arm(0, 2), timerPending(timer)]).toEqual([1, 0, 0, false]);
      addTimer(timer);
      expect(timerPending(timer)).toBe(false);
    });
    expect(log).toEqual([]);
  });

  it('is not to be waited for in a hard interrupt, but if it is TIMER_IRQSAFE', () => {
    const { printed, machine, run } = rig();
    run(function* () {
      const [plain, safe] = [0, TIMER_IRQSAFE].map((flags) => new TimerList(() => {}, flags));
      if (plain === undefined || safe === undefined) throw new Error('no timers');
      machine.bootCpu.callFunction(() =>
        machine.bootCpu.suspend(
          (function* () {
            yield* timerDeleteSync(safe);
            expect(printed).toEqual([]);
            yield* timerDeleteSync(plain);
          })(),
          () => 0,
        ),
      );
      yield* udelay(10);
    });
    expect(printed.length).toBe(1);
    expect(printed[0]).toMatch(/WARNING: .*__timer_delete_sync/);
  });

  it('that is waited for with a lock held that its function takes is reported by lockdep, unless softirqs are off for both', () => {
    const report = (wait: boolean): string => {
      const { printed, run } = rig();
      const lock = new Spinlock('state');
      const timer = new TimerList(function* poll() {
        yield* spinLock(lock);
        spinUnlock(lock);
      });
      run(function* () {
        modTimer(timer, jiffies());
        yield* mdelay(8);
        yield* spinLockBh(lock);
        if (wait) yield* timerDeleteSync(timer);
        spinUnlockBh(lock);
        if (!wait) yield* timerDeleteSync(timer);
      });
      return printed.join('\n');
    };
    expect(report(true)).toMatch(
      /possible circular locking dependency[\s\S]*acquire lock:\n\S+ \(\(&poll\)\)\{\+\.-\.\}-\{0:0\}/,
    );
    expect(report(false)).toBe('');
  });

  it('is waited for while its function runs on another CPU', () => {
    const { machine } = rig(250, 2);
    const log: string[] = [];
    const slow = new TimerList(function* () {
      yield* mdelay(3);
      log.push(`function ends at ${machine.clock.now()}`);
    });
    machine.runTask(function* () {
      modTimer(slow, jiffies());
      yield* mdelay(1);
    });
    machine.spawn(
      'other',
      function* () {
        yield* mdelay(4);
        log.push(`delete at ${machine.clock.now()}`);
        expect(yield* timerDeleteSync(slow)).toBe(0);
        log.push(`deleted at ${machine.clock.now()}`);
      },
      { cpusAllowed: 2 },
    );
    machine.advance(50_000_000);
    expect(log).toEqual(['delete at 5000000', 'function ends at 7000000', 'deleted at 7000000']);
  });

  it('never runs early, and late by a tick and an eighth of its time at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 12 }), (delays) => {
        const { machine } = rig(1000);
        const ran: [number, number][] = [];
        machine.runTask(() => {
          for (const delay of delays) {
            const due = delay;
            modTimer(new TimerList(() => void ran.push([due, machine.clock.now() / 1_000_000])), jiffies() + delay);
          }
        });
        machine.advance(8_000_000_000_000);
        expect(ran.length).toBe(delays.length);
        for (const [due, at] of ran) {
          expect(at).toBeGreaterThan(due);
          expect(at).toBeLessThanOrEqual(due + 1 + due / 7);
        }
      }),
      { numRuns: 60 },
    );
  });
});
