import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { preemptDisable, preemptEnable } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { current, smpProcessorId } from '../sched/current.js';
import { mdelay, nsleep } from '../time/delay.js';
import { WQ_HIGHPRI, WQ_MAX_ACTIVE, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { queueWork, scheduleWork } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue, type Workqueue, workqueueSetMaxActive, workqueueSetMinActive } from './workqueue.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

const MS = 1_000_000;

function rig(options: MachineOptions = {}) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ ...options, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const at = (text: string): void => {
    log.push(`${machine.clock.now() / MS} ${text}`);
  };
  /** A work item that logs its begin and end around `body`. */
  const item = (name: string, body: () => Coroutine<void>): Work =>
    new Work(function* () {
      at(`${name} begins`);
      yield* body();
      at(`${name} ends`);
    }, name);
  /** As the recordings: queued together by a task of higher priority, then flushed. */
  const together = (queues: readonly (readonly [Workqueue, Work])[]): string[] => {
    log.length = 0;
    const start = machine.clock.now();
    const body = function* () {
      preemptDisable();
      for (const [wq, work] of queues) queueWork(wq, work);
      preemptEnable();
      for (const [, work] of queues) yield* flushWork(work);
    };
    const task = machine.spawn('oracle', body, { rtPriority: 1 });
    while (!task.exited) machine.advance(MS);
    return log.map((entry) => {
      const [time, ...rest] = entry.split(' ');
      return `${Number(time) - start / MS} ${rest.join(' ')}`;
    });
  };
  return { machine, log, printed, at, item, together };
}

describe('queueWork', () => {
  // As recorded from Linux 6.12 (50-wq-queue-returns).
  it('says true for an idle item, false for a pending one, and true again for a running one, which then runs once more', () => {
    const { machine, item } = rig();
    const wq = allocWorkqueue('demo', 0, 0);
    let runs = 0;
    const a = item('a', function* () {
      runs++;
      yield* msleep(30);
    });
    const answers = machine.runTask(function* () {
      preemptDisable();
      const first = [queueWork(wq, a), queueWork(wq, a), a.pending];
      preemptEnable();
      yield* msleep(8);
      const running = [a.pending, queueWork(wq, a), a.pending, queueWork(wq, a)];
      const flushed = yield* flushWork(a);
      return [first, running, flushed, a.pending, runs, yield* flushWork(a)];
    });
    expect(answers).toEqual([[true, false, true], [false, true, true, false], true, false, 2, false]);
  });

  it('can be called by the function of the item itself, and in any context', () => {
    const { machine, log, at } = rig();
    let left = 3;
    const work = new Work(() => {
      at(`run ${left}`);
      if (--left > 0) scheduleWork(work);
    });
    machine.bootCpu.callFunction(() => {
      at(`queued ${scheduleWork(work)}`);
      return 0;
    });
    expect(log).toEqual(['0 queued true', '0 run 3', '0 run 2', '0 run 1']);
  });

  it('runs an item on the CPU that queued it, unless the queue is unbound', () => {
    const { machine, log } = rig({ cpus: 2 });
    const work = (): Work => new Work(() => log.push(`${current().comm} on ${smpProcessorId()}`));
    for (const cpu of machine.cpus) {
      cpu.callFunction(() => {
        queueWork(machine.workqueues.systemWq, work());
        queueWork(machine.workqueues.systemHighpriWq, work());
        return 0;
      });
    }
    machine.runTask(() => queueWork(machine.workqueues.systemUnboundWq, work()));
    machine.advance(MS);
    expect(log.slice(0, 4).sort()).toEqual([
      'kworker/0:0 on 0',
      'kworker/0:0H on 0',
      'kworker/1:0 on 1',
      'kworker/1:0H on 1',
    ]);
    expect(log[4]).toMatch(/^kworker\/u\d+:0 on [01]$/);
  });

  it('gives workers the nice value of their pool', () => {
    const { machine } = rig();
    const nice: number[] = [];
    const { workqueues } = machine;
    for (const wq of [
      workqueues.systemWq,
      workqueues.systemHighpriWq,
      allocWorkqueue('u', WQ_UNBOUND | WQ_HIGHPRI, 0),
    ]) {
      machine.runTask(() => queueWork(wq, new Work(() => nice.push(current().nice))));
      machine.advance(MS);
    }
    expect(nice).toEqual([0, -20, -20]);
  });

  it('numbers items alike in machines that run alike', () => {
    const numbers = [rig(), rig()].map(({ machine }) => {
      machine.runTask(() => scheduleWork(new Work(() => {})));
      machine.runTask(() => scheduleWork(new Work(() => {})));
      return [...machine.trace.read()].map(({ a, b, event, name }) => `${event} ${a} ${b} ${name}`);
    });
    expect(numbers[0]).toEqual(numbers[1]);
  });
});

describe('max_active', () => {
  // As recorded from Linux 6.12 (52-wq-max-active): a sleeps 20 ms, b 28, c 36.
  it.each<[string, number, number, string[]]>([
    ['bound, 1', 0, 1, ['0 a begins', '20 a ends', '20 b begins', '48 b ends', '48 c begins', '84 c ends']],
    ['bound, 2', 0, 2, ['0 a begins', '0 b begins', '20 a ends', '20 c begins', '28 b ends', '56 c ends']],
    ['bound, default', 0, 0, ['0 a begins', '0 b begins', '0 c begins', '20 a ends', '28 b ends', '36 c ends']],
    ['unbound, 1', WQ_UNBOUND, 1, ['0 a begins', '20 a ends', '20 b begins', '48 b ends', '48 c begins', '84 c ends']],
    ['unbound, 2', WQ_UNBOUND, 2, ['0 a begins', '0 b begins', '20 a ends', '20 c begins', '28 b ends', '56 c ends']],
  ])('%s', (_, flags, maxActive, expected) => {
    const { item, together } = rig();
    const wq = allocWorkqueue('demo', flags, maxActive);
    const sleeper = (name: string, ms: number): Work => item(name, () => msleep(ms));
    const works = [sleeper('a', 20), sleeper('b', 28), sleeper('c', 36)];
    // Twice: the workers that are there by then must do as well as new ones.
    expect(together(works.map((work) => [wq, work]))).toEqual(expected);
    expect(together(works.map((work) => [wq, work]))).toEqual(expected);
  });

  it.each([
    [-1, 1],
    [WQ_MAX_ACTIVE + 1, WQ_MAX_ACTIVE],
  ])('of %d is clamped to %d, with a warning', (asked, given) => {
    const { machine, printed } = rig();
    const wq = machine.runTask(() => allocWorkqueue('demo', 0, asked));
    expect(wq.maxActive).toBe(given);
    const range = 'out of range, clamping between 1 and 512';
    expect(printed).toEqual([`warning: workqueue: max_active ${asked} requested for demo is ${range}`]);
  });

  it.each([[1.5], [Number.NaN]])('of %d is refused', (maxActive) => {
    const { machine } = rig();
    expect(() => allocWorkqueue('demo', 0, maxActive)).toThrow(`workqueue demo: max_active ${maxActive} is no integer`);
    machine.runTask(() => {
      const wq = allocWorkqueue('demo', WQ_UNBOUND, 4);
      expect(() => workqueueSetMaxActive(wq, maxActive)).toThrow(`max_active ${maxActive} is no integer`);
      expect(() => workqueueSetMinActive(wq, maxActive)).toThrow(`min_active ${maxActive} is no integer`);
      expect([wq.maxActive, wq.minActive]).toEqual([4, 4]);
    });
  });

  it('is told apart from a name that is cut, which is told once', () => {
    const { machine, printed } = rig();
    const long = 'a-name-that-is-longer-than-31-characters';
    machine.runTask(() => {
      for (const maxActive of [600, 0]) expect(allocWorkqueue(long, 0, maxActive).name).toBe(long.slice(0, 31));
    });
    expect(printed).toEqual([
      `warning: workqueue: name exceeds WQ_NAME_LEN. Truncating to: ${long.slice(0, 31)}`,
      `warning: workqueue: max_active 600 requested for ${long.slice(0, 31)} is out of range, clamping between 1 and 512`,
    ]);
  });
});

describe('the workers of a CPU', () => {
  // As recorded from Linux 6.12 (54-wq-concurrency).
  it('start a second item when the first sleeps, and not while it is busy', () => {
    const { item, together, machine } = rig();
    const wq = allocWorkqueue('demo', 0, 0);
    const sleeping = ['a', 'b'].map((name, i) => item(name, () => msleep(20 + 8 * i)));
    const busy = ['a', 'b'].map((name) => item(name, () => mdelay(2)));
    const sleeps = ['0 a begins', '0 b begins', '20 a ends', '28 b ends'];
    expect(together(sleeping.map((work) => [wq, work]))).toEqual(sleeps);
    expect(together(busy.map((work) => [wq, work]))).toEqual(['0 a begins', '2 a ends', '2 b begins', '4 b ends']);
    expect(together(sleeping.map((work) => [machine.workqueues.systemWq, work]))).toEqual(sleeps);
    const highpri = allocWorkqueue('high', WQ_HIGHPRI, 0);
    expect(together(sleeping.map((work) => [highpri, work]))).toEqual(sleeps);
  });

  it('start one at the sleep in the middle of an item that is otherwise busy', () => {
    const { item, together } = rig();
    const wq = allocWorkqueue('demo', 0, 0);
    const a = item('a', function* () {
      yield* mdelay(2);
      yield* msleep(5);
      yield* mdelay(2);
    });
    const b = item('b', () => mdelay(3));
    expect(together([a, b].map((work) => [wq, work]))).toEqual(['0 a begins', '2 b begins', '5 b ends', '9 a ends']);
  });
});

describe('unbound workers', () => {
  it('run items side by side on the CPUs that there are, also when none of them sleeps', () => {
    const { item, together } = rig({ cpus: 2 });
    const wq = allocWorkqueue('demo', WQ_UNBOUND, 0);
    const works = ['a', 'b'].map((name) => [wq, item(name, () => mdelay(2))] as const);
    const expected = ['0 a begins', '0 b begins', '2 a ends', '2 b ends'];
    expect(together(works)).toEqual(expected);
    expect(together(works)).toEqual(expected);
  });
});

describe('an item', () => {
  it('that forgets the star of yield* is told so, and its worker goes on', () => {
    const { machine, printed, log } = rig();
    const bad = new Work(function* () {
      yield msleep(1) as unknown as number;
    }, 'starless');
    machine.runTask(function* () {
      scheduleWork(bad);
      scheduleWork(new Work(() => log.push('next')));
      yield* flushWork(bad);
    });
    machine.advance(MS);
    expect(printed[0]).toMatch(
      /^alert: Oops: exception in work starless of workqueue events\nKernelError: .* asks for nothing/,
    );
    expect(log).toEqual(['next']);
  });

  it('that throws is reported, and its worker goes on', () => {
    const { machine, printed, log } = rig();
    const bad = new Work(() => {
      throw new Error('no luck');
    }, 'bad');
    const good = new Work(() => log.push('good'));
    machine.runTask(function* () {
      scheduleWork(bad);
      scheduleWork(good);
      yield* flushWork(bad);
      yield* flushWork(good);
    });
    expect(printed.length).toBe(1);
    expect(printed[0]).toMatch(/^alert: Oops: exception in work bad of workqueue events\nError: no luck/);
    expect(log).toEqual(['good']);
  });

  it('may be async; it is flushed when its promise has settled, also with an error', async () => {
    const { machine, log, printed, at } = rig();
    const work = new Work(async () => {
      at('begins');
      await msleep(4);
      await Promise.resolve();
      at('ends');
      throw new Error('late');
    }, 'async');
    const flushed = machine.call(function* () {
      scheduleWork(work);
      yield* flushWork(work);
      at('flushed');
    });
    await machine.advanceAsync(20 * MS);
    await flushed;
    expect(log).toEqual(['0 begins', '4 ends', '4 flushed']);
    expect(printed[0]).toMatch(/^alert: Oops: exception in work async of workqueue events\nError: late/);
  });

  it('that flushes itself is refused with EDEADLK', () => {
    const { machine, printed } = rig();
    const work: Work = new Work(() => flushWork(work) as unknown as Coroutine<void>, 'self');
    machine.runTask(() => scheduleWork(work));
    machine.advance(MS);
    expect(printed[0]).toMatch(/possible recursive locking detected/);
    expect(printed[1]).toMatch(
      /^alert: Oops: exception in work self .*\nKernelError: flush_work\(\) of self in its own/,
    );
  });

  it('is named in the trace when it begins and ends', () => {
    const { machine } = rig();
    machine.runTask(() => scheduleWork(new Work(function notify() {})));
    machine.advance(MS);
    const names = [...machine.trace.read()].filter(({ event }) => event >= 4 && event <= 6).map(({ name }) => name);
    expect(names).toEqual(['events', 'notify', 'notify']);
  });
});

describe('any program of queueing and flushing', () => {
  it('runs each item as often as it was taken, never twice at once, and never more than max_active', () => {
    const step = fc.record({
      item: fc.integer({ min: 0, max: 4 }),
      queue: fc.integer({ min: 0, max: 2 }),
      cpu: fc.integer({ min: 0, max: 1 }),
      gap: fc.integer({ min: 0, max: 3 }),
      flush: fc.boolean(),
    });
    const kinds = fc.constantFrom(0, WQ_UNBOUND, WQ_HIGHPRI, WQ_UNBOUND | WQ_HIGHPRI);
    const queue = fc.record({ flags: kinds, maxActive: fc.integer({ min: 0, max: 3 }) });
    const lengths = fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), queue, lengths, (steps, { flags, maxActive }, ms) => {
        const { machine, printed } = rig({ cpus: 2 });
        const wq = allocWorkqueue('p', flags, maxActive);
        const taken = [0, 0, 0, 0, 0];
        const runs = [0, 0, 0, 0, 0];
        const running = new Map<number, number>();
        const perCpu = new Map<number, number>();
        let tooMany = 0;
        const works = ms.map(
          (length, i) =>
            new Work(function* () {
              const place = (flags & WQ_UNBOUND) === 0 ? smpProcessorId() : -1;
              running.set(i, (running.get(i) ?? 0) + 1);
              perCpu.set(place, (perCpu.get(place) ?? 0) + 1);
              if ((running.get(i) ?? 0) > 1 || (maxActive > 0 && (perCpu.get(place) ?? 0) > maxActive)) tooMany++;
              runs[i] = (runs[i] ?? 0) + 1;
              yield* length < 0 ? mdelay(-length) : msleep(length);
              running.set(i, (running.get(i) ?? 0) - 1);
              perCpu.set(place, (perCpu.get(place) ?? 0) - 1);
            }),
        );
        let flushing = 0;
        for (const { item, cpu, gap, flush } of steps) {
          const work = works[item];
          if (work === undefined) continue;
          machine.cpus[cpu]?.callFunction(() => {
            if (queueWork(wq, work)) taken[item] = (taken[item] ?? 0) + 1;
            return 0;
          });
          if (flush) {
            flushing++;
            machine.spawn('flush', function* () {
              const before = taken[item] ?? 0;
              yield* flushWork(work);
              if ((runs[item] ?? 0) < before) tooMany++;
              flushing--;
            });
          }
          machine.advance(gap * MS);
        }
        machine.advance(1_000 * MS);
        expect([runs, tooMany, flushing, printed]).toEqual([taken, 0, 0, []]);
      }),
    );
  });
});
