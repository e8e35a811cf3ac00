import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { preemptPoint } from '../sched/core.js';
import type { Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { udelay, usleepRange } from '../time/delay.js';
import {
  __raiseSoftirqIrqoff,
  BLOCK_SOFTIRQ,
  localBhDisable,
  localBhEnable,
  localSoftirqPending,
  openSoftirq,
  raiseSoftirq,
  raiseSoftirqIrqoff,
} from './softirq.js';
import { softirqRig } from './softirq.spec-helper.js';
import { Tasklet, taskletSchedule } from './tasklet.js';

/** BLOCK logs where it runs. */
function rig(options: MachineOptions = {}) {
  const made = softirqRig(options);
  made.machine.softirqs.open(BLOCK_SOFTIRQ, () => made.at('BLOCK'));
  return made;
}

describe('ksoftirqd', () => {
  it('is there from the start, asleep, SCHED_NORMAL, one on each CPU', () => {
    const { machine } = rig({ cpus: 2 });
    const threads = [...machine.tasks].map(({ comm, stateLetter, policy, nice, cpusAllowed }) =>
      [comm, stateLetter, policy, nice, cpusAllowed].join(' '),
    );
    expect(threads).toEqual(['ksoftirqd/0 S SCHED_NORMAL 0 1', 'ksoftirqd/1 S SCHED_NORMAL 0 2']);
  });

  it('runs the softirqs of hard interrupts if these are threads (recording 21, threadirqs)', () => {
    const { machine, hard, run, at } = rig({ threadirqs: true });
    const log = run(function* () {
      yield* hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
      at('task');
      yield* usleepRange(100, 100);
      localBhDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      localBhEnable();
      yield* preemptPoint();
    });
    expect(machine.threadirqs).toBe(true);
    expect(log).toEqual(['task task 0', 'BLOCK softirq 100 ksoftirqd', 'BLOCK softirq 101']);
  });
});

it("softirqs in ksoftirqd are its own time, and others are nobody's", () => {
  const { machine, run, hard } = rig();
  machine.softirqs.open(BLOCK_SOFTIRQ, () => udelay(10));
  run(function* () {
    yield* hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
    yield* usleepRange(100, 100);
    raiseSoftirq(BLOCK_SOFTIRQ);
    yield* usleepRange(100, 100);
  });
  const { softirqNs, taskNs } = machine.bootCpu.times;
  expect([softirqNs, taskNs, machine.bootCpu.softirqs.thread?.sumExecNs]).toEqual([10_000, 10_000, 10_000]);
});

describe('without kernel preemption ksoftirqd', () => {
  const expectToRun = (machine: Machine): void => {
    const urgent: Task = machine.create('urgent', () => {}, { rtPriority: 50 });
    machine.bootCpu.callFunction(() => {
      wakeUpProcess(urgent);
      return 0;
    });
    machine.advance(50_000);
    expect(urgent.exited).toBe(true);
  };

  it('lets others run between two times that it serves softirqs', () => {
    const { machine } = rig({ preempt: 'none' });
    machine.softirqs.open(BLOCK_SOFTIRQ, function* () {
      yield* udelay(10);
      raiseSoftirq(BLOCK_SOFTIRQ);
    });
    machine.runTask(() => raiseSoftirq(BLOCK_SOFTIRQ));
    machine.advance(1_000_000);
    expectToRun(machine);
  });

  it('lets others run while it spins for a disabled tasklet', () => {
    const machine = new Machine({ preempt: 'none' });
    machine.runTask(() => taskletSchedule(new Tasklet(() => {}, 1)));
    machine.advance(1_000_000);
    expect(machine.bootCpu.current.comm).toBe('ksoftirqd/0');
    expectToRun(machine);
  });
});

describe("a vector of the user's own", () => {
  it('comes just before RCU, which is the last', () => {
    const { machine, run, hard, at } = rig({ extraSoftirqs: ['MY_SOFTIRQ'] });
    const MY_SOFTIRQ = machine.softirqs.nrOf('MY_SOFTIRQ');
    expect([MY_SOFTIRQ, machine.softirqs.nrOf('RCU')]).toEqual([9, 10]);
    const log = run(function* () {
      openSoftirq(MY_SOFTIRQ, () => at('mine'));
      yield* hard(() => {
        raiseSoftirq(MY_SOFTIRQ);
        raiseSoftirq(BLOCK_SOFTIRQ);
        expect(localSoftirqPending()).toBe(0x210);
      });
    });
    expect(log).toEqual(['BLOCK softirq 100', 'mine softirq 100']);
  });

  it.each([[['HI']], [['A', 'A']], [['']], [Array.from({ length: 23 }, (_, i) => `V${i}`)]])(
    'is refused under the names %j',
    (extraSoftirqs) => {
      expect(() => new Machine({ extraSoftirqs })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    },
  );

  it('that the machine has not got cannot be opened or raised', () => {
    const { machine } = rig();
    machine.runTask(function* () {
      yield* preemptPoint();
      for (const call of [raiseSoftirq, raiseSoftirqIrqoff, __raiseSoftirqIrqoff]) {
        expect(() => call(10)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      }
      expect(() => openSoftirq(10, () => {})).toThrow('the machine has no softirq 10');
      expect(() => machine.softirqs.nrOf('MY_SOFTIRQ')).toThrow('the machine has no softirq MY_SOFTIRQ');
    });
  });
});
