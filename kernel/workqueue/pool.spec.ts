import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { dumpStack } from '../sched/core.js';
import { current, smpProcessorId } from '../sched/current.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { mdelay, msleep, udelay } from '../time/delay.js';
import { WQ_CPU_INTENSIVE, WQ_HIGHPRI, WQ_POWER_EFFICIENT, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { currentWork, setWorkerDesc, workqueueCongested, wqWorkerComm } from './info.js';
import { executeInProcessContext, scheduleOnEachCpu, workOnCpu } from './on-cpu.js';
import { queueWork, queueWorkNode, queueWorkOn, scheduleWork } from './queue.js';
import { showAllWorkqueues } from './show.js';
import { fromWork, OwnedWork, Work } from './work.js';
import { allocWorkqueue, workqueueSetMaxActive } from './workqueue.js';

const MS = 1_000_000;

function rig(options: MachineOptions = {}) {
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const workers = (): string[] =>
    [...machine.tasks].map(({ comm }) => comm).filter((comm) => comm.startsWith('kworker/'));
  return { machine, printed, workers };
}

describe('workers', () => {
  it('are named after CPU or pool, and say what they do or did', () => {
    const { machine } = rig({ cpus: 2 });
    const names: string[] = [];
    const shown: string[] = [];
    machine.runTask(function* () {
      for (const [flags, name] of [
        [0, 'plain'],
        [WQ_HIGHPRI, 'high'],
        [WQ_UNBOUND, 'unbound'],
        [WQ_UNBOUND | WQ_HIGHPRI, 'unbound_high'],
      ] as const) {
        const work = new Work(() => {
          names.push(`${current().comm} ${current().nice}`);
          shown.push(wqWorkerComm(current()));
          if (name === 'plain') setWorkerDesc('a description of more than 31 characters');
        });
        queueWorkOn(1, allocWorkqueue('%s_%d', flags, 0, name, 7), work);
        // No flush: its barrier would be what the worker did last.
        yield* msleep(1);
      }
      for (const task of machine.tasks) if (task.comm === 'kworker/1:0') shown.push(wqWorkerComm(task));
      shown.push(wqWorkerComm(current()));
    });
    expect(names).toEqual(['kworker/1:0 0', 'kworker/1:0H -20', 'kworker/u8:0 0', 'kworker/u9:0 -20']);
    expect(shown).toEqual([
      'kworker/1:0+plain_7',
      'kworker/1:0H+high_7',
      'kworker/u8:0+unbound_7',
      'kworker/u9:0+unbound_high_7',
      'kworker/1:0-a description of more than 31 c',
      'init',
    ]);
  });

  it('beyond two that are idle end after five minutes, when the CPU is not idle, and their numbers are given again', () => {
    const { machine, workers } = rig();
    const wq = allocWorkqueue('many', 0, 0);
    const burst = (): void =>
      machine.runTask(function* () {
        const works = Array.from({ length: 8 }, () => new Work(() => msleep(10)));
        for (const work of works) queueWork(wq, work);
        for (const work of works) yield* flushWork(work);
      });
    burst();
    const numbers = Array.from({ length: 9 }, (_, i) => `kworker/0:${i}`);
    expect(workers()).toEqual(numbers);
    machine.advance(299_000 * MS);
    expect(workers()).toHaveLength(9);
    machine.advance(60_000 * MS);
    expect(workers()).toHaveLength(9);
    machine.runTask(() => mdelay(20));
    expect(workers().filter((name) => name.startsWith('kworker/0:'))).toHaveLength(2);
    burst();
    expect(
      workers()
        .filter((name) => name.startsWith('kworker/0:'))
        .sort(),
    ).toEqual(numbers);
  });

  it('are not made beyond those that sleep, and a spare one', () => {
    const { machine, workers } = rig();
    machine.runTask(function* () {
      const works = Array.from({ length: 20 }, () => new Work(() => udelay(100)));
      for (const work of works) queueWork(machine.workqueues.systemWq, work);
      for (const work of works) yield* flushWork(work);
    });
    expect(workers()).toEqual(['kworker/0:0', 'kworker/0:1']);
  });
});

describe('an item that hogs its CPU', () => {
  const hogs = (machine: Machine, flags: number, ms: number, count = 1): string[] => {
    const log: string[] = [];
    machine.runTask(function* () {
      const wq = allocWorkqueue('hogs', flags, 0);
      for (let i = 0; i < count; i++) {
        const hog = new Work(hog_fn);
        const next = new Work(() => log.push('next'));
        queueWork(wq, hog);
        queueWork(wq, next);
        yield* flushWork(next);
        yield* flushWork(hog);
      }
    });
    function* hog_fn() {
      log.push('begins');
      // Busy in small pieces: they count together.
      for (let i = 0; i < ms * 10; i++) yield* udelay(100);
      log.push('ends');
    }
    return log;
  };

  it('lets the next one begin after 10 ms, at the tick', () => {
    expect(hogs(rig().machine, 0, 9)).toEqual(['begins', 'ends', 'next']);
    expect(hogs(rig().machine, 0, 30)).toEqual(['begins', 'next', 'ends']);
  });

  it('does so at once on a WQ_CPU_INTENSIVE queue', () => {
    expect(hogs(rig().machine, WQ_CPU_INTENSIVE, 9)).toEqual(['begins', 'next', 'ends']);
  });

  it('does so after the time that the machine was made with, or never', () => {
    expect(hogs(rig({ wqCpuIntensiveThreshUs: 1_000 }).machine, 0, 9)).toEqual(['begins', 'next', 'ends']);
    expect(hogs(rig({ wqCpuIntensiveThreshUs: 0 }).machine, 0, 60)).toEqual(['begins', 'ends', 'next']);
  });

  it('is named at the fourth time, and then ever more rarely', () => {
    const { machine, printed } = rig();
    hogs(machine, 0, 20, 12);
    expect(printed).toEqual(
      [4, 5, 7, 11].map(
        (times) =>
          `warning: workqueue: hog_fn hogged CPU for >10000us ${times} times, consider switching to WQ_UNBOUND`,
      ),
    );
  });

  it('is none when it sleeps in between, or the one before it took long', () => {
    const { machine, printed } = rig();
    const log: string[] = [];
    machine.runTask(function* () {
      const wq = allocWorkqueue('polite', 0, 0);
      const works = [
        new Work(function* () {
          for (let i = 0; i < 10; i++) {
            yield* mdelay(6);
            yield* msleep(1);
          }
        }),
        ...Array.from({ length: 10 }, () => new Work(() => mdelay(6))),
      ];
      for (const work of works) queueWork(wq, work);
      for (const work of works) yield* flushWork(work);
    });
    expect([log, printed]).toEqual([[], []]);
    expect(machine.workqueues.pools.map(({ nrRunning }) => nrRunning)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('queues', () => {
  it('of WQ_POWER_EFFICIENT are unbound on a machine that is told so', () => {
    for (const [wqPowerEfficient, expected] of [
      [false, 'kworker/0:0'],
      [true, 'kworker/u4:0'],
    ] as const) {
      const { machine } = rig({ wqPowerEfficient });
      let comm = '';
      machine.runTask(function* () {
        const work = new Work(() => {
          comm = current().comm;
        });
        queueWork(allocWorkqueue('saving', WQ_POWER_EFFICIENT, 0), work);
        yield* flushWork(work);
      });
      expect(comm).toBe(expected);
    }
  });

  it('are congested while items wait, which start when max_active grows', () => {
    const { machine } = rig();
    let begun = 0;
    machine.runTask(function* () {
      for (const flags of [0, WQ_UNBOUND]) {
        begun = 0;
        const wq = allocWorkqueue('wide', flags, 1);
        const works = Array.from(
          { length: 5 },
          () =>
            new Work(function* () {
              begun++;
              yield* msleep(20);
            }),
        );
        for (const work of works) queueWork(wq, work);
        yield* msleep(4);
        expect([begun, workqueueCongested(0, wq)]).toEqual([1, true]);
        workqueueSetMaxActive(wq, 4);
        yield* msleep(4);
        expect([begun, workqueueCongested(0, wq)]).toEqual([4, true]);
        workqueueSetMaxActive(wq, 2);
        for (const work of works) yield* flushWork(work);
        expect([begun, workqueueCongested(0, wq)]).toEqual([5, false]);
      }
    });
  });

  it('take a node for granted, and refuse a CPU that is not there', () => {
    const { machine, printed } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('bound', 0, 0);
      const work = new Work(() => {});
      expect(() => queueWorkOn(3, wq, work)).toThrow('workqueue bound: no CPU 3');
      expect(queueWorkNode(0, wq, work)).toBe(true);
      yield* flushWork(work);
    });
    expect(printed[0]).toMatch(/queue_work_node/);
  });

  it('show who runs what and what waits', () => {
    const { machine, printed } = rig({ cpus: 2 });
    machine.runTask(function* () {
      const wq = allocWorkqueue('busy', 0, 2);
      const item = (name: string): Work => new Work(() => msleep(3_000), name);
      const target = item('first_fn');
      queueWork(wq, target);
      for (let i = 0; i < 4; i++) queueWork(wq, item('more_fn'));
      machine.spawn('flusher', () => flushWork(target));
      yield* msleep(2_000);
      printed.length = 0;
      showAllWorkqueues();
    });
    const [, ...lines] = printed.map((text) => text.replace(/\b\d{1,2}(?=[:)])/g, 'P'));
    expect(lines).toEqual([
      'info: workqueue busy: flags=0x0',
      [
        'info:   pwq P: cpus=0 node=0 flags=0x0 nice=0 active=2 refcnt=7',
        '    in-flight: P:first_fn BAR(P) ,P:more_fn',
        '    inactive: 3*more_fn',
      ].join('\n'),
      expect.stringMatching(/^info: pool P: cpus=0 node=0 flags=0x0 nice=0 hung=0s workers=3 idle: \d+$/),
    ]);
  });
});

describe('scheduleOnEachCpu', () => {
  it('runs on all CPUs at once, and is back when all are done', () => {
    const { machine } = rig({ cpus: 3 });
    const ran: string[] = [];
    machine.runTask(function* () {
      const done = yield* scheduleOnEachCpu(function* () {
        yield* mdelay(1 + smpProcessorId());
        ran.push(current().comm);
      });
      expect(done).toBe(0);
      expect(machine.clock.now()).toBeLessThan(4 * MS);
    });
    expect(ran).toEqual(['kworker/0:0', 'kworker/1:0', 'kworker/2:0']);
  });
});

describe('an item that is a part of something', () => {
  it('is given that, typed', () => {
    const { machine } = rig();
    const seen: unknown[] = [];
    class Reading extends Work {
      readonly channel = 3;
      constructor() {
        super((work) => seen.push(fromWork(Reading, work).channel, currentWork() === work, smpProcessorId()));
      }
    }
    machine.runTask(function* () {
      const works = [new Reading(), new OwnedWork({ presses: 2 }, ({ presses }) => seen.push(presses))];
      for (const work of works) {
        queueWork(machine.workqueues.systemWq, work);
        yield* flushWork(work);
      }
      expect(currentWork()).toBeUndefined();
    });
    expect(seen).toEqual([3, true, 0, 2]);
    expect(() => fromWork(Reading, new Work(() => {}, 'other'))).toThrow('from_work: other is no Reading');
  });
});

describe('workOnCpu', () => {
  it('gives what the function returns there, or throws what it throws', () => {
    const { machine, printed } = rig({ cpus: 2 });
    machine.runTask(function* () {
      const told = yield* workOnCpu(
        1,
        function* (ms: number) {
          yield* msleep(ms);
          return `${current().comm} after ${ms} ms`;
        },
        8,
      );
      expect(told).toBe('kworker/1:0 after 8 ms');
      expect(yield* workOnCpu(0, (text: string) => text.length, 'four')).toBe(4);
      for (const [cpu, message] of [
        [1, 'broken'],
        [2, 'no CPU 2'],
      ] as const) {
        let caught: unknown;
        try {
          yield* workOnCpu(
            cpu,
            () => {
              throw new Error('broken');
            },
            0,
          );
        } catch (error) {
          caught = error;
        }
        expect(String(caught)).toContain(message);
      }
    });
    expect(printed).toEqual([]);
  });
});

describe('executeInProcessContext', () => {
  it('calls the function at once in a task, and has a kworker do it otherwise', () => {
    const { machine } = rig();
    const ran: string[] = [];
    const work = new Work(function* () {
      yield* msleep(1);
      ran.push(current().comm);
    });
    machine.runTask(function* () {
      expect(yield* executeInProcessContext(work)).toBe(0);
      localBhDisable();
      expect(yield* executeInProcessContext(work)).toBe(1);
      localBhEnable();
      expect(ran).toEqual(['init']);
      yield* flushWork(work);
    });
    expect(ran).toEqual(['init', 'kworker/0:0']);
  });
});

describe('a report in an item', () => {
  it('names queue and item, and what the item says that it is about', () => {
    const { machine, printed } = rig();
    machine.runTask(function* () {
      const work = new Work(function report() {
        dumpStack();
        setWorkerDesc('disk 7');
        dumpStack();
      });
      queueWork(allocWorkqueue('demo', 0, 0), work);
      yield* flushWork(work);
      dumpStack();
    });
    expect(printed.map((text) => /^Workqueue: .*$/m.exec(text)?.[0])).toEqual([
      'Workqueue: demo report',
      'Workqueue: demo report (disk 7)',
      undefined,
    ]);
  });
});

describe('a pool that makes progress', () => {
  it('is not hung, however long items wait for those before them', () => {
    const { machine, printed } = rig();
    machine.workqueues.cpuIntensiveThreshUs = 0;
    machine.runTask(() => {
      for (let i = 0; i < 3; i++) scheduleWork(new Work(() => mdelay(3_000)));
    });
    machine.advance(4_500 * MS);
    machine.runTask(() => showAllWorkqueues());
    expect(printed.find((line) => line.includes('hung='))).toMatch(/hung=1s/);
  });
});
