import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { preemptDisable, preemptEnable, preemptPoint } from '../sched/core.js';
import { smpProcessorId } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { nsleep, udelay } from '../time/delay.js';
import { irqSetAffinity } from './affinity.js';
import { type FakeLines, fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, IRQF_ONESHOT, type IrqReturn } from './flags.js';
import { handleLevelIrq } from './flow.js';
import type { IrqThreadFn } from './irqdesc.js';
import { disableIrq, enableIrq, freeIrq, irqWakeThread } from './manage.js';
import { requestThreadedIrq } from './request.js';
import { synchronizeIrq } from './synchronize.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

function threaded({ machine, irq, at }: FakeLines, threadFn: IrqThreadFn, name = 'demo'): Task {
  const primary = (): IrqReturn => {
    at('primary');
    return IRQ_WAKE_THREAD;
  };
  machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, 0, name));
  const thread = machine.irqs.get(irq).actions.at(-1)?.thread;
  if (thread === undefined) throw new Error('no thread');
  return thread;
}

/** A thread function that logs its begin and end around a sleep. */
function sleeper({ at }: FakeLines, ms: number): IrqThreadFn {
  return function* () {
    at('begin');
    yield* msleep(ms);
    at('end');
    return IRQ_HANDLED;
  };
}

describe('an interrupt thread', () => {
  it('is SCHED_FIFO 50, named after line and request, and sleeps until it is asked for', () => {
    const lines = fakeLines();
    const thread = threaded(lines, () => IRQ_HANDLED, 'a-rather-long-name');
    expect([thread.comm, thread.policy, thread.rtPriority, thread.stateLetter]).toEqual([
      `irq/${lines.irq}-a-rather-long-name`.slice(0, 15),
      'SCHED_FIFO',
      50,
      'S',
    ]);
  });

  it('runs in its task at once after the interrupt, before what was interrupted', () => {
    const lines = fakeLines();
    const { machine, at, pulse, taken } = lines;
    threaded(
      lines,
      handledAfter(() => at('thread')),
    );
    taken();
    machine.spawn('task', function* () {
      yield* udelay(10);
      at('goes on');
    });
    machine.advance(3_000);
    pulse();
    machine.advance(10_000);
    expect(taken()).toEqual(['ack', '3 hardirq primary', `3 irq/${lines.irq}-demo thread`, '10 task goes on']);
  });

  it('alone needs only ONESHOT', () => {
    const { machine, irq, log, pulse } = fakeLines();
    const threadFn = handledAfter(() => log.push('thread'));
    machine.runTask(() => requestThreadedIrq(irq, null, threadFn, IRQF_ONESHOT, 'demo'));
    pulse();
    expect(log).toEqual(['unmask', 'ack', 'thread']);
  });

  it('woken twice before it runs, runs once', () => {
    const lines = fakeLines();
    const { machine, pulse, taken, at } = lines;
    threaded(
      lines,
      handledAfter(() => at('thread')),
    );
    taken();
    machine.runTask(function* () {
      preemptDisable();
      pulse();
      yield* preemptPoint();
      pulse();
      yield* preemptPoint();
      at('both fired');
      preemptEnable();
      yield* preemptPoint();
    });
    const thread = `0 irq/${lines.irq}-demo thread`;
    expect(taken()).toEqual(['ack', '0 hardirq primary', 'ack', '0 hardirq primary', '0 init both fired', thread]);
  });

  it('woken three times while it runs, runs exactly once more', () => {
    const lines = fakeLines();
    const { machine, pulse, taken } = lines;
    threaded(lines, sleeper(lines, 20));
    pulse();
    machine.advance(8_000_000);
    for (let i = 0; i < 3; i++) pulse();
    machine.advance(100_000_000);
    const steps = taken().map((entry) => entry.split(' ').at(-1));
    expect(steps.filter((step) => step === 'primary').length).toBe(4);
    expect(steps.filter((step) => step === 'begin').length).toBe(2);
    expect(steps.slice(-3)).toEqual(['end', 'begin', 'end']);
  });

  it('runs at least once after every interrupt, and never more often than there were', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 30 }), (delays, work) => {
        const { machine, irq, pulse, desc } = fakeLines();
        let primaries = 0;
        let runs = 0;
        let unseen = 0;
        const primary = (): IrqReturn => {
          primaries++;
          unseen++;
          return IRQ_WAKE_THREAD;
        };
        const threadFn = function* () {
          unseen = 0;
          runs++;
          yield* msleep(work);
          return IRQ_HANDLED;
        };
        machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, 0, 'demo'));
        for (const delay of delays) {
          pulse();
          machine.advance(delay * 1_000_000);
        }
        machine.advance(100_000_000);
        expect(primaries).toBe(delays.length);
        expect(runs).toBeGreaterThanOrEqual(1);
        expect(runs).toBeLessThanOrEqual(primaries);
        expect([unseen, desc.threadsActive]).toEqual([0, 0]);
      }),
    );
  });

  it('may be async, and sleeps in virtual time as a generator does', async () => {
    const lines = fakeLines();
    const { machine, at, pulse, taken } = lines;
    threaded(lines, async () => {
      at('begin');
      await msleep(2);
      at('end');
      return IRQ_HANDLED;
    });
    taken();
    pulse();
    await machine.advanceAsync(10_000_000);
    const comm = `irq/${lines.irq}-demo`;
    expect(taken()).toEqual(['ack', '0 hardirq primary', `0 ${comm} begin`, `2000 ${comm} end`]);
  });

  it('whose function forgets the star of yield* is told so, with its own tidying up done, and goes on', () => {
    const lines = fakeLines();
    const tidied: string[] = [];
    threaded(lines, function* () {
      try {
        yield msleep(1) as unknown as number;
      } finally {
        tidied.push('tidied');
      }
      return IRQ_HANDLED;
    });
    lines.pulse();
    lines.pulse();
    expect(tidied).toEqual(['tidied', 'tidied']);
    expect(lines.printed.length).toBe(2);
    expect(lines.printed[1]).toMatch(
      /^alert: Oops: exception in thread function demo .*\nKernelError: .* asks for nothing/,
    );
    expect(lines.machine.runTask(() => freeIrq(lines.irq))).toBe('demo');
  });

  it.each<[string, IrqThreadFn]>([
    [
      'plain',
      () => {
        throw new Error('no');
      },
    ],
    [
      'generator',
      function* () {
        yield* udelay(1);
        throw new Error('no');
      },
    ],
    [
      'async',
      async () => {
        throw new Error('no');
      },
    ],
  ])('goes on after its %s function threw', async (_, threadFn) => {
    const lines = fakeLines();
    const thread = threaded(lines, threadFn);
    lines.pulse();
    await lines.machine.advanceAsync(1_000_000);
    lines.pulse();
    await lines.machine.advanceAsync(1_000_000);
    expect(lines.printed.length).toBe(2);
    expect(lines.printed[1]).toMatch(/^alert: Oops: exception in thread function demo of irq \d+\nError: no/);
    expect([thread.exited, lines.desc.threadsActive]).toEqual([false, 0]);
  });
});

describe('an interrupt thread and its line', () => {
  it('counts the runs that have handled something', () => {
    const lines = fakeLines();
    const answers: IrqReturn[] = [IRQ_HANDLED, IRQ_NONE, IRQ_HANDLED];
    threaded(lines, () => answers.shift() ?? IRQ_NONE);
    for (let i = 0; i < 4; i++) lines.pulse();
    expect(lines.desc.threadsHandled).toBe(2);
  });

  it('is ready when the request returns, and goes to the CPUs of the interrupts', () => {
    const lines = fakeLines({ cpus: 4, chip: { setAffinity: (_desc, mask) => mask & 0b1100 } });
    const thread = threaded(lines, () => IRQ_HANDLED);
    expect([lines.desc.actions[0]?.ready, thread.cpusAllowed, thread.stateLetter]).toEqual([true, 0b1100, 'S']);
  });

  it('follows the interrupts to other CPUs before it runs the next time', () => {
    const lines = fakeLines({ cpus: 2, chip: { setAffinity: (_desc, mask) => mask } });
    const ran: number[] = [];
    const thread = threaded(
      lines,
      handledAfter(() => ran.push(smpProcessorId())),
    );
    for (const mask of [0b10, 0b01]) {
      lines.machine.runTask(() => irqSetAffinity(lines.irq, mask));
      lines.pulse();
    }
    expect([ran, thread.cpusAllowed]).toEqual([[1, 0], 0b01]);
  });

  it('stays where it is when the chip has sent the interrupts nowhere', () => {
    const lines = fakeLines({ cpus: 2 });
    expect(threaded(lines, () => IRQ_HANDLED).cpusAllowed).toBe(0b11);
  });

  it('that is woken without its interrupt runs, and who wakes nobody does no harm', () => {
    const lines = fakeLines();
    let runs = 0;
    const threadFn = handledAfter(() => runs++);
    lines.machine.runTask(() => requestThreadedIrq(lines.irq, () => IRQ_HANDLED, threadFn, 0, 'demo', 'dev'));
    lines.machine.runTask(() => {
      irqWakeThread(lines.irq, 'dev');
      irqWakeThread(lines.irq, 'nobody');
      irqWakeThread(99, 'dev');
    });
    expect([runs, lines.printed]).toEqual([1, []]);
  });

  it('dies of a chip that throws, is reported, and leaves nobody waiting', () => {
    const broken = (): never => {
      throw new Error('no bus');
    };
    const lines = fakeLines({ full: false });
    const { machine, irq, desc, pulse, printed } = lines;
    desc.handleIrq = handleLevelIrq;
    machine.runTask(() => requestThreadedIrq(irq, null, () => IRQ_HANDLED, IRQF_ONESHOT, 'demo'));
    const thread = desc.actions[0]?.thread;
    desc.chip = { ...desc.chip, name: 'broken', mask: () => {}, unmask: broken };
    pulse();
    expect(printed.map((text) => text.split('\n')[0])).toEqual([
      expect.stringMatching(/^alert: Oops: exception in task irq\/1-demo/),
      `err: genirq: exiting task "irq/${irq}-demo" (${thread?.pid}) is an active IRQ thread (irq ${irq})`,
      `alert: Oops: exception in chip of irq ${irq}`,
    ]);
    expect([desc.threadsActive, desc.threadsOneshot, machine.runTask(() => freeIrq(irq))]).toEqual([0, 0, 'demo']);
  });
});

describe('freeIrq with a thread', () => {
  it('waits for the function that runs, runs what is still due, and ends the thread', () => {
    const lines = fakeLines();
    const { machine, irq, at, pulse, taken } = lines;
    const thread = threaded(lines, sleeper(lines, 5));
    pulse();
    machine.advance(1_000_000);
    pulse();
    taken();
    machine.runTask(function* () {
      yield* freeIrq(irq);
      at('freed');
    });
    const comm = `irq/${irq}-demo`;
    expect(taken()).toEqual([
      'mask',
      `5000 ${comm} end`,
      `5000 ${comm} begin`,
      `10000 ${comm} end`,
      '10000 init freed',
    ]);
    expect([thread.exited, machine.tasks.has(thread)]).toEqual([true, false]);
  });

  it('lets no handler run once it has returned, whatever comes when', () => {
    const action = fc.record({ gap: fc.integer({ min: 0, max: 300 }), cpu: fc.integer({ min: 0, max: 1 }) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), fc.integer({ min: 0, max: 1_500 }), (pulses, freeAt) => {
        const { machine, irq, pulse, desc } = fakeLines({ cpus: 2 });
        let freed = false;
        let late = 0;
        const primary = function* () {
          yield* udelay(30);
          if (freed) late++;
          return IRQ_WAKE_THREAD;
        };
        const threadFn = function* () {
          yield* msleep(0.2);
          if (freed) late++;
          return IRQ_HANDLED;
        };
        machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, 0, 'demo'));
        machine.spawn('free', function* () {
          yield* msleep(freeAt / 1_000);
          yield* freeIrq(irq);
          freed = true;
        });
        for (const { gap, cpu } of pulses) {
          pulse(3, cpu);
          machine.advance(gap * 1_000);
        }
        machine.advance(20_000_000);
        expect([freed, late, desc.inProgress, desc.threadsActive, desc.actions.length]).toEqual([true, 0, false, 0, 0]);
      }),
    );
  });

  it('lets tasks end that wait for the line', () => {
    const lines = fakeLines();
    const { machine, irq, at, pulse, taken } = lines;
    threaded(lines, sleeper(lines, 5));
    pulse();
    taken();
    machine.spawn('sync', function* () {
      yield* synchronizeIrq(irq);
      at('synchronized');
    });
    machine.advance(10_000_000);
    expect(taken().at(-1)).toBe('5000 sync synchronized');
  });
});

describe('a thread that would wait for itself', () => {
  it.each<[string, (irq: number) => Generator<number, unknown, unknown>]>([
    ['synchronize_irq()', synchronizeIrq],
    ['disable_irq()', disableIrq],
    ['free_irq()', freeIrq],
  ])('is refused %s with EDEADLK, and nothing has changed', (what, call) => {
    const lines = fakeLines();
    const { irq, desc, pulse } = lines;
    let error: unknown;
    threaded(lines, function* () {
      try {
        yield* call(irq);
      } catch (thrown) {
        error = thrown;
      }
      return IRQ_HANDLED;
    });
    pulse();
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ code: 'EDEADLK', message: expect.stringContaining(what) });
    expect([desc.depth, desc.actions.length, desc.threadsActive]).toEqual([0, 1, 0]);
  });

  it('may enable its line', () => {
    const lines = fakeLines();
    threaded(
      lines,
      handledAfter(() => enableIrq(lines.irq)),
    );
    lines.pulse();
    expect(lines.printed).toEqual([`warning: Unbalanced enable for IRQ ${lines.irq} (__enable_irq)`]);
  });
});
