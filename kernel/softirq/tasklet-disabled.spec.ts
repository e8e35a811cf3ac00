import { describe, expect, it } from 'vitest';
import { preemptDisable, preemptEnable, preemptPoint, schedSetFifoLow } from '../sched/core.js';
import { current, smpProcessorId } from '../sched/current.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { mdelay, msleep, udelay, usleepRange } from '../time/delay.js';
import { BLOCK_SOFTIRQ, localSoftirqPending, raiseSoftirq, TASKLET_SOFTIRQ } from './softirq.js';
import { taskletRig } from './softirq.spec-helper.js';
import {
  declareTaskletOld,
  Tasklet,
  taskletDisable,
  taskletDisableInAtomic,
  taskletDisableNosync,
  taskletEnable,
  taskletInit,
  taskletSchedule,
  taskletSetup,
} from './tasklet.js';

describe('a tasklet that is disabled and scheduled', () => {
  it('does not run until it is enabled, and keeps ksoftirqd busy all the time (recording 36)', () => {
    const { machine, log, tasklet } = taskletRig();
    const t = tasklet('t');
    machine.runTask(function* () {
      yield* taskletDisable(t);
      yield* taskletDisable(t);
      taskletSchedule(t);
      yield* msleep(1_000);
      expect(localSoftirqPending()).toBe(1 << TASKLET_SOFTIRQ);
      taskletEnable(t);
      yield* msleep(1_000);
      expect([t.state, log]).toEqual([1, []]);
      taskletEnable(t);
      yield* msleep(1);
    });
    expect(log).toEqual(['t softirq ksoftirqd/0']);
    const { taskNs, idleNs } = machine.bootCpu.times;
    expect(taskNs).toBeGreaterThan(2_000_000_000);
    expect(idleNs).toBeLessThan(10_000_000);
  });

  it('does not hold up one that schedules itself, however often', () => {
    const { machine, tasklet } = taskletRig();
    let runs = 0;
    let ranNs = -1;
    const again: Tasklet = new Tasklet(() => {
      if (++runs < 25) taskletSchedule(again);
      else ranNs = machine.clock.now();
    });
    machine.runTask(function* () {
      const disabled = tasklet('disabled');
      taskletDisableNosync(disabled);
      taskletSchedule(disabled);
      taskletSchedule(again);
      yield* msleep(1);
    });
    expect(ranNs).toBe(0);
  });

  it('leaves half of the CPU to another task of SCHED_NORMAL', () => {
    const { machine, tasklet } = taskletRig();
    const t = tasklet('t');
    taskletDisableNosync(t);
    const usedNs = machine.runTask(function* () {
      taskletSchedule(t);
      yield* mdelay(120);
      return current().sumExecNs;
    });
    expect(usedNs / 120_000_000).toBeCloseTo(0.5, 1);
    expect(machine.bootCpu.current.comm).toBe('ksoftirqd/0');
    machine.advance(100_000_000);
    expect([t.state, machine.bootCpu.times.idleNs]).toEqual([1, 0]);
  });

  it('runs, once enabled, behind the next interrupt if ksoftirqd does not get to it', () => {
    const { machine, log, tasklet } = taskletRig();
    const t = tasklet('t');
    machine.runTask(function* () {
      schedSetFifoLow(current());
      yield* taskletDisable(t);
      taskletSchedule(t);
      yield* msleep(1);
      taskletEnable(t);
      machine.bootCpu.callFunction(() => 0);
      yield* preemptPoint();
      expect(log).toEqual(['t softirq init']);
    });
  });

  it('does not keep others of its list from running at once, nor softirqs', () => {
    const { machine, log } = taskletRig();
    const t = new Tasklet(() => void log.push('t'), 1);
    const other = new Tasklet(() => void log.push(`other ${machine.clock.now()}`));
    machine.softirqs.open(BLOCK_SOFTIRQ, () => void log.push(`block ${machine.clock.now()}`));
    machine.runTask(function* () {
      schedSetFifoLow(current());
      taskletSchedule(t);
      yield* usleepRange(100, 100);
      taskletSchedule(other);
      yield* usleepRange(100, 100);
      raiseSoftirq(BLOCK_SOFTIRQ);
      yield* usleepRange(100, 100);
      taskletEnable(t);
    });
    expect(log).toEqual(['other 100000', 'block 200000', 't']);
  });

  it('does not keep one from running that was scheduled in the same pass, even if that was cut short', () => {
    const { machine, log } = taskletRig();
    const t = new Tasklet(() => {}, 1);
    const next = new Tasklet(() => void log.push(`next ${machine.clock.now()}`));
    const urgent = machine.create('urgent', () => void log.push('urgent'), { rtPriority: 50 });
    const first = new Tasklet(() => {
      wakeUpProcess(urgent);
      taskletSchedule(next);
    });
    machine.runTask(function* () {
      schedSetFifoLow(current());
      taskletSchedule(first);
      taskletSchedule(t);
      yield* usleepRange(100, 100);
    });
    expect(log).toEqual(['urgent', 'next 0']);
  });

  it('runs where it was scheduled when it is enabled on another CPU', () => {
    const { machine, log } = taskletRig(2);
    const t = new Tasklet(() => void log.push(`${smpProcessorId()} ${machine.clock.now()}`), 1);
    machine.cpus[1]?.callFunction(() => {
      taskletSchedule(t);
      return 0;
    });
    machine.runTask(function* () {
      yield* udelay(70);
      taskletEnable(t);
      yield* udelay(1);
    });
    expect(log).toEqual(['1 70000']);
  });
});

describe('the old form', () => {
  it('gives the function its data (tasklet_init)', () => {
    const { machine, log } = taskletRig();
    const t = declareTaskletOld((data) => void log.push(`declared ${data}`));
    machine.runTask(function* () {
      taskletSchedule(t);
      yield* msleep(1);
      taskletInit(t, (led: { gpio: number }) => void log.push(`gpio ${led.gpio}`), { gpio: 17 });
      expect([t.useCallback, t.data]).toEqual([false, { gpio: 17 }]);
      taskletSchedule(t);
      expect(() => taskletInit(t, () => {}, 0)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
      yield* msleep(1);
      taskletSetup(t, (self) => void log.push(`callback ${self === t}`));
      taskletSchedule(t);
      yield* msleep(1);
    });
    expect(log).toEqual(['declared 0', 'gpio 17', 'callback true']);
  });

  it('may be declared disabled (DECLARE_TASKLET_DISABLED_OLD)', () => {
    expect(declareTaskletOld(() => {}, 1).count).toBe(1);
  });
});

describe('tasklet_disable_in_atomic', () => {
  it('spins until the function has ended on the other CPU', () => {
    const { machine, log, tasklet } = taskletRig(2);
    const t = tasklet('t', function* () {
      yield* udelay(50);
    });
    machine.cpus[1]?.callFunction(() => {
      taskletSchedule(t);
      return 0;
    });
    machine.runTask(function* () {
      preemptDisable();
      yield* taskletDisableInAtomic(t);
      log.push(`${machine.clock.now()} ${t.state} ${t.count}`);
      preemptEnable();
    });
    expect(log).toEqual(['50000 0 1']);
    expect(machine.bootCpu.times.taskNs).toBe(50_000);
  });

  it('throws where it would spin for ever: in an interrupt on the CPU of the tasklet', () => {
    const { machine, tasklet } = taskletRig();
    const errors: unknown[] = [];
    const t = tasklet('t', function* () {
      machine.bootCpu.callFunction(() => {
        try {
          taskletDisableInAtomic(t).next();
        } catch (error) {
          errors.push(error);
        }
        return 0;
      });
      yield* udelay(1);
    });
    machine.runTask(function* () {
      taskletSchedule(t);
      yield* msleep(1);
    });
    expect(errors).toEqual([expect.objectContaining({ code: 'EDEADLK' })]);
  });
});
