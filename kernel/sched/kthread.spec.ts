import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { mdelay, nsleep } from '../time/delay.js';
import { Completion, waitForCompletion } from './completion.js';
import {
  dumpStack,
  localIrqDisable,
  localIrqEnable,
  mightSleep,
  preemptDisable,
  preemptEnable,
  preemptPoint,
  schedSetFifo,
  schedule,
  schedYield,
  setCpusAllowedPtr,
  setCurrentState,
  setUserNice,
} from './core.js';
import type { Coroutine } from './coroutine.js';
import { current, irqsDisabled, preemptCount, preemptible, smpProcessorId } from './current.js';
import {
  kthreadBind,
  kthreadCreate,
  kthreadPark,
  kthreadParkme,
  kthreadRun,
  kthreadShouldPark,
  kthreadShouldStop,
  kthreadStop,
  kthreadUnpark,
} from './kthread.js';
import { kthreadCompleteAndExit } from './kthread-exit.js';
import { TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE } from './task.js';
import { wakeUpProcess } from './wakeup.js';

const MS = 1_000_000;

function rig(cpus = 1) {
  const printed: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  return { machine, printed };
}

describe('a kthread', () => {
  it('may end in the midst of what it calls, having told who waits, without a word', () => {
    const { machine, printed } = rig();
    const done = new Completion();
    const log: string[] = [];
    const inner = function* () {
      try {
        yield* nsleep(MS);
        kthreadCompleteAndExit(done, 7);
      } finally {
        log.push('finally');
      }
    };
    const result = machine.runTask(function* () {
      const body = function* () {
        yield* inner();
        log.push('behind');
      };
      const task = kthreadRun(body, undefined, 'worker');
      yield* waitForCompletion(done);
      return yield* kthreadStop(task);
    });
    expect([result, log, printed]).toEqual([7, ['finally'], []]);
  });

  it('runs once it is woken, until it is stopped, and hands its result over', () => {
    const { machine } = rig();
    const log: string[] = [];
    const body = function* (name: string) {
      log.push(`${name} as ${current().comm}`);
      while (!kthreadShouldStop()) {
        setCurrentState(TASK_INTERRUPTIBLE);
        if (!kthreadShouldStop()) yield* schedule();
      }
      return 7;
    };
    machine.runTask(function* () {
      const task = kthreadCreate(body, 'data', 'a-name-of-more-than-15');
      yield* nsleep(MS);
      log.push('not yet');
      wakeUpProcess(task);
      yield* nsleep(MS);
      expect(yield* kthreadStop(task)).toBe(7);
    });
    expect(log).toEqual(['not yet', 'data as a-name-of-more-']);
  });

  it('that is stopped before it ran gives -EINTR', () => {
    const { machine } = rig();
    const result = machine.runTask(() => kthreadStop(kthreadCreate(() => 1, undefined, 'never')));
    expect(result).toBe(-4);
  });

  it('parks and goes on', () => {
    const { machine } = rig();
    const log: string[] = [];
    machine.runTask(function* () {
      const task = kthreadRun(
        function* () {
          while (!kthreadShouldStop()) {
            if (kthreadShouldPark()) {
              yield* kthreadParkme();
              log.push('goes on');
            }
            yield* nsleep(MS);
          }
        },
        undefined,
        'parker',
      );
      yield* nsleep(MS / 2);
      yield* kthreadPark(task);
      log.push(`parked ${task.stateLetter}`);
      yield* nsleep(5 * MS);
      kthreadUnpark(task);
      yield* nsleep(MS);
      yield* kthreadStop(task);
    });
    expect(log).toEqual(['parked P', 'goes on']);
  });

  it('is bound to a CPU before it runs, and moved from it later', () => {
    const { machine } = rig(2);
    const seen: number[] = [];
    machine.runTask(function* () {
      const task = kthreadCreate(
        function* () {
          for (let i = 0; i < 3; i++) {
            seen.push(smpProcessorId());
            yield* mdelay(2);
          }
        },
        undefined,
        'bound',
      );
      kthreadBind(task, 1);
      wakeUpProcess(task);
      yield* nsleep(3 * MS);
      expect(() => kthreadBind(task, 0)).toThrow(/runs already/);
      setCpusAllowedPtr(task, 1);
      expect(() => setCpusAllowedPtr(task, 4)).toThrow(/no CPU of this machine/);
      yield* nsleep(10 * MS);
      expect(smpProcessorId()).toBe(0);
      setCpusAllowedPtr(current(), 2);
      yield* preemptPoint();
      expect(smpProcessorId()).toBe(1);
    });
    expect(seen).toEqual([1, 1, 0]);
  });
});

describe('the share of the CPU', () => {
  it('follows nice: a step is a quarter more', () => {
    const { machine } = rig();
    const tasks = [0, 5].map((nice) =>
      machine.spawn(`nice${nice}`, function* () {
        setUserNice(current(), nice);
        yield* mdelay(4000);
      }),
    );
    machine.advance(3000 * MS);
    for (const cpu of machine.cpus) cpu.charge();
    const [normal, nicer] = tasks.map((task) => task.sumExecNs);
    expect((normal ?? 0) / (nicer ?? 1)).toBeCloseTo(1.25 ** 5, 1);
  });

  it('is all for SCHED_FIFO', () => {
    const { machine } = rig();
    const log: string[] = [];
    machine.spawn('fair', function* () {
      yield* mdelay(1);
      log.push('fair');
    });
    machine.spawn('fifo', function* () {
      schedSetFifo(current());
      yield* mdelay(20);
      log.push('fifo');
    });
    machine.advance(100 * MS);
    expect(log).toEqual(['fair', 'fifo']);
  });

  it('is given up by yield to equals', () => {
    const { machine } = rig();
    const log: string[] = [];
    const spawnBoth = (): void => {
      for (const name of ['a', 'b']) {
        machine.spawn(
          name,
          function* () {
            for (let i = 0; i < 3; i++) {
              log.push(name);
              yield* schedYield();
            }
          },
          { rtPriority: 1 },
        );
      }
    };
    spawnBoth();
    expect(log.splice(0).join('')).toBe('aaabbb');
    machine.batch(spawnBoth);
    expect(log.join('')).toBe('ababab');
  });
});

it('a task is preemptible unless preemption or interrupts are off', () => {
  const { machine } = rig();
  machine.runTask(() => {
    const seen = [preemptible()];
    preemptDisable();
    seen.push(preemptible());
    preemptEnable();
    localIrqDisable();
    seen.push(preemptible());
    localIrqEnable();
    expect(seen).toEqual([true, false, false]);
  });
});

describe('a report', () => {
  it('of sleeping in atomic names the context and the place, once a second (recording 77a)', () => {
    const { machine, printed } = rig();
    machine.runTask(() => {
      preemptDisable();
      mightSleep('demo');
      mightSleep('demo');
      preemptEnable();
    }, 'oracle');
    const lines = printed[0]?.split('\n') ?? [];
    expect(lines[0]).toMatch(/^emerg: BUG: sleeping function called from invalid context at .*kthread\.spec\.ts:\d+$/);
    expect(lines.slice(1, 4)).toEqual([
      'in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 2, name: oracle',
      'preempt_count: 1, expected: 0',
      'RCU nest depth: 0, expected: 0',
    ]);
    expect(lines.join('\n')).toMatch(/CPU: 0 PID: 2 Comm: oracle\nCall Trace:\n <TASK>\n {2}at .*kthread\.spec\.ts/);
    expect(printed.filter((text) => text.startsWith('emerg')).length).toBe(1);
  });

  it('of a thread that returns with interrupts and preemption off, which go no further', () => {
    const { machine, printed } = rig();
    machine.spawn('leaky', () => {
      localIrqDisable();
      preemptDisable();
    });
    machine.runTask(() => expect([irqsDisabled(), preemptCount()]).toEqual([false, 0]));
    const heads = printed.map((text) => text.split('\n').slice(0, 3));
    expect(heads).toEqual([
      [
        'warning: ------------[ cut here ]------------',
        'WARNING: CPU: 0 PID: 2 at do_exit',
        'CPU: 0 PID: 2 Comm: leaky',
      ],
      [
        'emerg: BUG: sleeping function called from invalid context at ?',
        'in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 2, name: leaky',
        'preempt_count: 1, expected: 0',
      ],
      [
        'emerg: BUG: scheduling while atomic: leaky/2/0x00000002',
        'no locks held by leaky/2.',
        'CPU: 0 PID: 2 Comm: leaky',
      ],
    ]);
  });

  it('of a thread that throws with them off, after which they are on', () => {
    const { machine, printed } = rig();
    machine.spawn('thrower', () => {
      localIrqDisable();
      preemptDisable();
      throw new Error('oops');
    });
    machine.advance(1000);
    expect(printed.slice(-2)).toEqual([
      'info: note: thrower[2] exited with irqs disabled',
      'info: note: thrower[2] exited with preempt_count 1',
    ]);
  });

  it.each<[string, () => Coroutine, string]>([
    [
      'yields what no text can be made of',
      function* () {
        yield Object.create(null);
      },
      'TypeError: Cannot convert',
    ],
    [
      'yields what throws when text is made of it',
      function* () {
        const request: unknown = { toString: () => expect.fail('no text') };
        yield request as number;
      },
      'AssertionError: no text',
    ],
    [
      'is an iterator that returns nothing',
      () => ({ next: () => undefined }) as unknown as Coroutine,
      "TypeError: .* 'done'",
    ],
  ])('of a thread that %s, and the next one runs', (_, body, error) => {
    const { machine, printed } = rig();
    const odd = machine.spawn('odd', body);
    expect(odd.exited).toBe(true);
    expect(printed).toEqual([expect.stringMatching(new RegExp(`^alert: Oops: exception in task odd/2\n${error}`))]);
    expect(machine.runTask(() => 'ran')).toBe('ran');
  });

  it('of scheduling while atomic: the sleep happens, and the count is 0 behind it (recording 78a)', () => {
    const { machine, printed } = rig();
    machine.runTask(function* () {
      preemptDisable();
      yield* nsleep(MS);
      expect(machine.bootCpu.preemptCount).toBe(0);
      expect(machine.clock.now()).toBe(MS);
    }, 'oracle');
    expect(printed[0]).toMatch(/^emerg: BUG: scheduling while atomic: oracle\/2\/0x00000002\n[\s\S]*kthread\.spec\.ts/);
  });

  it('of a blocking call in another state than running (recording 77h)', () => {
    const { machine, printed } = rig();
    machine.runTask(() => {
      setCurrentState(TASK_UNINTERRUPTIBLE);
      mightSleep('mutex_lock');
      setCurrentState(0);
    });
    expect(printed[0]).toMatch(
      /cut here ]-*\ndo not call blocking ops when !TASK_RUNNING; state=2\nWARNING: CPU: 0 PID: 2 at /,
    );
  });

  it('of a hung task comes after 120 s, once', () => {
    const { machine, printed } = rig();
    const task = machine.spawn('stuck', function* () {
      setCurrentState(TASK_UNINTERRUPTIBLE);
      yield* schedule();
    });
    machine.advance(119_000 * MS);
    expect(printed).toEqual([]);
    machine.advance(1000_000 * MS);
    expect(printed.length).toBe(1);
    expect(printed[0]).toMatch(/^err: INFO: task stuck:2 blocked for more than 120 seconds\.\n/);
    wakeUpProcess(task);
    expect(task.exited).toBe(true);
  });

  it('of dump_stack shows the chain of contexts', () => {
    const { machine, printed } = rig();
    machine.bootCpu.callFunction(() => {
      dumpStack();
      return 0;
    });
    expect(printed[0]).toMatch(
      /^info: CPU: 0 PID: 0 Comm: swapper\/0\nCall Trace:\n <IRQ>\n {2}at .*kthread\.spec\.ts:\d+:\d+\)?\n <\/IRQ>\n <TASK>\n <\/TASK>$/,
    );
  });
});
