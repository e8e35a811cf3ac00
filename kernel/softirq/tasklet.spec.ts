import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { localIrqDisable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { irqsDisabled, smpProcessorId } from '../sched/current.js';
import { mdelay, msleep, nsleep, udelay } from '../time/delay.js';
import { Tracepoint } from '../trace/ring.js';
import { taskletRig } from './softirq.spec-helper.js';
import {
  Tasklet,
  taskletDisable,
  taskletDisableNosync,
  taskletEnable,
  taskletHiSchedule,
  taskletKill,
  taskletSchedule,
  taskletSetup,
} from './tasklet.js';

describe('a tasklet', () => {
  it('scheduled by a task runs in softirq context, in ksoftirqd, once however often it was scheduled', () => {
    const { machine, log, tasklet } = taskletRig();
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
    const { machine, log } = taskletRig();
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
    const { machine, log, tasklet } = taskletRig();
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
    const { machine, log, printed, tasklet } = taskletRig();
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

  it('is enabled as often as it was disabled, not more', () => {
    const { machine, tasklet } = taskletRig();
    const t = tasklet('t');
    expect(() => machine.runTask(() => taskletEnable(t))).toThrow('tasklet_enable: tasklet is not disabled');
  });

  it('that is disabled on another CPU is waited for', () => {
    const { machine, log, tasklet } = taskletRig(2);
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
    const { machine, log, tasklet } = taskletRig();
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
    const { machine, printed, tasklet } = taskletRig();
    const t = tasklet('t');
    taskletDisableNosync(t);
    machine.bootCpu.callFunction(() => {
      taskletSchedule(t);
      const kill = taskletKill(t);
      expect(() => kill.next()).not.toThrow();
      return 0;
    });
    expect(printed[0]).toBe('notice: softirq: Attempt to kill tasklet from interrupt');
  });

  it('never runs on two CPUs at once, and once at least after each schedule', () => {
    const step = fc.record({ cpu: fc.nat(2), gap: fc.nat(40), hi: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(30), (steps, work) => {
        const { machine } = taskletRig(3);
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

it('kill by several tasks ends for the last one first, as for all that wait on a variable', () => {
  const { machine } = taskletRig();
  const order: string[] = [];
  const t = new Tasklet(() => {});
  const kill = (name: string): void => {
    machine.spawn(name, function* () {
      yield* taskletKill(t);
      order.push(name);
    });
  };
  machine.runTask(function* () {
    taskletDisableNosync(t);
    taskletSchedule(t);
    for (const name of ['a', 'b', 'c']) kill(name);
    yield* msleep(10);
    taskletEnable(t);
    yield* msleep(10);
  });
  expect(order).toEqual(['c', 'b', 'a']);
});

it('kill catches a tasklet on another CPU that schedules itself', () => {
  const { machine } = taskletRig(2);
  const t: Tasklet = new Tasklet(function* () {
    yield* udelay(500);
    taskletSchedule(t);
  });
  machine.runTask(function* () {
    taskletSchedule(t);
    yield* msleep(3);
    yield* taskletKill(t);
    expect([t.state, t.waiters.entries.length]).toEqual([0, 0]);
  });
});

it('a tasklet that waits for another to be killed is reported in full, and ends', () => {
  const { machine, printed, tasklet } = taskletRig();
  const t = new Tasklet(() => {}, 1);
  const killer = tasklet('killer', function* () {
    yield* taskletKill(t);
  });
  machine.bootCpu.callFunction(() => {
    taskletSchedule(t);
    taskletSchedule(killer);
    return 0;
  });
  expect(printed.map((text) => text.split('\n', 1)[0])).toEqual([
    'notice: softirq: Attempt to kill tasklet from interrupt',
    expect.stringMatching(/^emerg: BUG: sleeping function called from invalid context at .*tasklet\.spec\.ts/),
    'emerg: BUG: scheduling while atomic: swapper/0/0/0x00000102',
    expect.stringMatching(/^alert: Oops: exception in tasklet/),
  ]);
  expect([killer.state, t.state]).toEqual([0, 1]);
});

it('a tasklet that returns a promise or leaves interrupts off is put right', () => {
  const { machine, printed } = taskletRig();
  const sleeper = new Tasklet((async () => {}) as unknown as () => void);
  const leaver = new Tasklet(() => localIrqDisable());
  machine.runTask(function* () {
    machine.bootCpu.callFunction(() => {
      taskletSchedule(sleeper);
      taskletSchedule(leaver);
      return 0;
    });
    yield* preemptPoint();
    expect(irqsDisabled()).toBe(false);
  });
  expect(printed[0]).toMatch(/^emerg: BUG: scheduling while atomic/);
  expect(sleeper.state).toBe(0);
});

it('tasklet_setup gives a function to a tasklet, but not to one in use', () => {
  const { machine, log, tasklet } = taskletRig();
  const t = tasklet('old');
  machine.runTask(function* () {
    taskletSetup(t, function fresh() {
      log.push('fresh');
    });
    taskletSchedule(t);
    expect(() => taskletSetup(t, () => {})).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    yield* msleep(1);
  });
  expect([t.name, log]).toEqual(['fresh', ['fresh']]);
  machine.runTask(function* () {
    taskletSetup(t, function other() {});
    taskletSchedule(t);
    yield* msleep(1);
  });
  const names = [...machine.trace.read()]
    .filter(({ event }) => event === Tracepoint.taskletEntry)
    .map(({ name }) => name);
  expect(names).toEqual(['fresh', 'other']);
});

it('tasklet_disable comes back when it does not run, whatever two CPUs do at random', () => {
  const step = fc.record({ wait: fc.integer({ min: 1, max: 40 }), what: fc.constantFrom('soft', 'hi', 'disable') });
  const program = fc.array(step, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(program, program, (...programs) => {
      const errors: unknown[] = [];
      const machine = new Machine({ cpus: 2, onOops: (_, error) => errors.push(error) });
      const t: Tasklet = new Tasklet(function* () {
        expect(t.count).toBe(0);
        yield* udelay(15);
      });
      const run = function* (steps: (typeof programs)[0]): Coroutine<void> {
        for (const { wait, what } of steps) {
          yield* udelay(wait);
          if (what === 'disable') {
            yield* taskletDisable(t);
            expect(t.running).toBe(false);
            yield* udelay(wait);
            expect(t.running).toBe(false);
            taskletEnable(t);
          } else (what === 'hi' ? taskletHiSchedule : taskletSchedule)(t);
        }
      };
      for (const [cpu, steps] of programs.entries())
        machine.spawn('random', () => run(steps), { cpusAllowed: 1 << cpu });
      machine.advance(10_000_000);
      expect(errors).toEqual([]);
      expect([t.state, t.count, t.waiters.entries.length]).toEqual([0, 0, 0]);
    }),
  );
});
