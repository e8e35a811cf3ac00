import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { preemptPoint, schedYield } from '../sched/core.js';
import { DONE } from '../sched/coroutine.js';
import { current } from '../sched/current.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING } from '../sched/task.js';
import { msleep, usleepRange } from './delay.js';
import { HRTIMER_MODE_ABS, HRTIMER_MODE_REL } from './hrtimer.js';
import { HZ, jiffies } from './jiffies.js';
import { scheduleHrtimeout, scheduleTimeoutInterruptible } from './timeout.js';
import { modTimer, TimerList } from './timer.js';

describe('a time-out', () => {
  it('of a fraction of a jiffy is cut to whole ones, as C divides', () => {
    const machine = new Machine({ hz: 100 });
    machine.runTask(function* () {
      const before = jiffies();
      expect(yield* scheduleTimeoutInterruptible(HZ() / 8)).toBe(0);
      expect(jiffies() - before).toBe(13);
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])(
    'of %d jiffies is refused, and so is a timer for then',
    (n) => {
      new Machine().runTask(function* () {
        let error: unknown;
        try {
          yield* scheduleTimeoutInterruptible(n);
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toMatchObject({ code: 'EINVAL' });
        expect(current().state).toBe(TASK_RUNNING);
        if (!Number.isFinite(n)) expect(() => modTimer(new TimerList(() => {}), n)).toThrow(/expires at/);
      });
    },
  );

  it('below 0 is over at once, with a line in the log and the stack', () => {
    const printed: string[] = [];
    const machine = new Machine({ printk: (level, text) => printed.push(`${level}: ${text}`) });
    machine.runTask(function* () {
      expect(yield* scheduleTimeoutInterruptible(-1)).toBe(0);
      expect(current().state).toBe(TASK_RUNNING);
      expect(machine.clock.now()).toBe(0);
    });
    expect(printed[0]).toBe('err: schedule_timeout: wrong timeout value ffffffffffffffff');
    expect(printed[1]).toMatch(/Call Trace/);
  });

  it.each([HRTIMER_MODE_ABS, HRTIMER_MODE_REL])('of no time at all does not sleep (hrtimer mode %d)', (mode) => {
    const machine = new Machine();
    let others = 0;
    machine.runTask(function* () {
      machine.spawn('other', () => void others++);
      current().state = TASK_INTERRUPTIBLE;
      expect(yield* scheduleHrtimeout(0, mode)).toBe(0);
      expect([current().state, others]).toEqual([TASK_RUNNING, 0]);
    });
    expect(others).toBe(1);
  });

  it.each([
    ['msleep', () => msleep(5)],
    ['usleep_range', () => usleepRange(5000, 5000)],
  ])('that an interrupt asks for with %s leaves the interrupted task alone', (_, sleep) => {
    const machine = new Machine();
    const { bootCpu } = machine;
    machine.runTask(function* () {
      bootCpu.callFunction(() => bootCpu.suspend(sleep(), () => DONE));
      yield* preemptPoint();
      expect(current().state).toBe(TASK_RUNNING);
      yield* schedYield();
      expect(machine.clock.now()).toBe(0);
    });
    expect(machine.clock.now()).toBe(0);
    machine.advance(10_000_000);
    expect([...machine.trace.read()].filter(({ timeNs }) => timeNs > 0)).toEqual([]);
  });
});
