import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context, current, smpProcessorId } from '../sched/current.js';
import { mdelay, msleep, nsleep, udelay } from '../time/delay.js';
import {
  Tasklet,
  taskletDisable,
  taskletDisableNosync,
  taskletEnable,
  taskletHiSchedule,
  taskletKill,
  taskletSchedule,
} from './tasklet.js';

function rig(cpus = 1) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const tasklet = (name: string, body?: () => Coroutine<void>): Tasklet =>
    new Tasklet(
      body ??
        (() => {
          log.push(`${name} ${context()} ${current().comm}`);
        }),
    );
  return { log, printed, machine, tasklet };
}

describe('a tasklet', () => {
  it('scheduled by a task runs in softirq context, in ksoftirqd, once however often it was scheduled', () => {
    const { machine, log, tasklet } = rig();
    const t = tasklet('t');
    machine.runTask(function* () {
      taskletSchedule(t);
      taskletHiSchedule(t);
      taskletSchedule(t);
      expect([t.state, log]).toEqual([1, []]);
      yield* msleep(1);
    });
    expect([t.state, log]).toEqual([0, ['t softirq ksoftirqd/0']]);
  });

  it('may schedule itself', () => {
    const { machine, log } = rig();
    let left = 3;
    const t = new Tasklet((self) => {
      log.push(`run, ${self.state}`);
      if (--left > 0) taskletSchedule(self);
    });
    machine.runTask(function* () {
      taskletSchedule(t);
      yield* msleep(1);
    });
    expect(log).toEqual(['run, 2', 'run, 2', 'run, 2']);
  });

  it('may be a generator that takes time, and the ones behind it wait', () => {
    const { machine, log, tasklet } = rig();
    const slow = tasklet('slow', function* () {
      yield* udelay(50);
      log.push(`slow at ${machine.clock.now()}`);
    });
    const next = tasklet('next');
    machine.bootCpu.callFunction(() => {
      taskletSchedule(slow);
      taskletSchedule(next);
      return 0;
    });
    machine.advance(100_000);
    expect(log).toEqual(['slow at 50000', 'next softirq swapper/0']);
  });

  it('that throws is reported, and the ones behind it run', () => {
    const { machine, log, printed, tasklet } = rig();
    const bad = new Tasklet(function breaks() {
      throw new Error('no');
    });
    const next = tasklet('next');
    machine.bootCpu.callFunction(() => {
      taskletSchedule(bad);
      taskletSchedule(next);
      return 0;
    });
    expect(printed[0]).toContain('exception in tasklet breaks');
    expect([log, bad.state]).toEqual([['next softirq swapper/0'], 0]);
  });

  it('does not run while it is disabled, and nobody spins for it', () => {
    const { machine, log, tasklet } = rig();
    const t = tasklet('t');
    machine.runTask(function* () {
      yield* taskletDisable(t);
      yield* taskletDisable(t);
      taskletSchedule(t);
      yield* msleep(1_000);
      taskletEnable(t);
      yield* msleep(1_000);
      expect([t.state, log]).toEqual([1, []]);
      taskletEnable(t);
      yield* msleep(1);
    });
    expect(log).toEqual(['t softirq ksoftirqd/0']);
    expect(machine.bootCpu.times.softirqNs).toBe(0);
  });

  it('is enabled as often as it was disabled, not more', () => {
    const { machine, tasklet } = rig();
    const t = tasklet('t');
    expect(() => machine.runTask(() => taskletEnable(t))).toThrow('tasklet_enable: tasklet is not disabled');
  });

  it('that is disabled on another CPU is waited for', () => {
    const { machine, log, tasklet } = rig(2);
    const t = tasklet('t', function* () {
      yield* mdelay(5);
      log.push(`end at ${machine.clock.now()}`);
    });
    machine.cpus[1]?.callFunction(() => {
      taskletSchedule(t);
      return 0;
    });
    machine.runTask(function* () {
      yield* taskletDisable(t);
      log.push(`disabled at ${machine.clock.now()}`);
    });
    expect(log).toEqual(['end at 5000000', 'disabled at 5000000']);
  });

  it('is killed when it has run', () => {
    const { machine, log, tasklet } = rig();
    const t = tasklet('t', function* () {
      yield* udelay(10);
      log.push('ran');
    });
    machine.runTask(function* () {
      taskletSchedule(t);
      yield* taskletKill(t);
      log.push('killed');
    });
    expect(log).toEqual(['ran', 'killed']);
  });

  it('cannot be killed from an interrupt', () => {
    const { machine, printed, tasklet } = rig();
    const t = tasklet('t');
    taskletDisableNosync(t);
    machine.bootCpu.callFunction(() => {
      taskletSchedule(t);
      const kill = taskletKill(t);
      expect(() => kill.next()).not.toThrow();
      return 0;
    });
    expect(printed[0]).toBe('notice: Attempt to kill tasklet from interrupt');
  });

  it('never runs on two CPUs at once, and once at least after each schedule', () => {
    const step = fc.record({ cpu: fc.nat(2), gap: fc.nat(40), hi: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(30), (steps, work) => {
        const { machine } = rig(3);
        let running = 0;
        let most = 0;
        let unseen = 0;
        const t = new Tasklet(function* () {
          unseen = 0;
          most = Math.max(most, ++running);
          yield* udelay(work);
          running--;
        });
        machine.runTask(function* () {
          for (const { cpu, gap, hi } of steps) {
            machine.cpus[cpu]?.callFunction(() => {
              expect(smpProcessorId()).toBe(cpu);
              unseen++;
              if (hi) taskletHiSchedule(t);
              else taskletSchedule(t);
              return 0;
            });
            yield* nsleep(gap * 1_000);
            yield* preemptPoint();
          }
          yield* msleep(10);
        });
        expect([most, unseen, running, t.state]).toEqual([1, 0, 0, 0]);
      }),
    );
  });
});
