// With means to tell async functions apart. On its own, since they are provided once for the whole process.
import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fakeLines } from '../irq/fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_WAKE_THREAD } from '../irq/flags.js';
import type { IrqHandler } from '../irq/irqdesc.js';
import { requestIrq, requestThreadedIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { nsleep } from '../time/delay.js';
import { WQ_UNBOUND } from '../workqueue/flags.js';
import { flushWork } from '../workqueue/flush.js';
import { queueWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { allocWorkqueue } from '../workqueue/workqueue.js';
import { current } from './current.js';
import { provideAsyncContext } from './effect.js';
import type { Task } from './task.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

const MS = 1_000_000;

beforeAll(() => provideAsyncContext(new AsyncLocalStorage()));

describe('several async functions at once', () => {
  it('each sleep in their own task, for as long as they asked', async () => {
    const sleeps = fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 5 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sleeps, async (programs) => {
        const machine = new Machine({ cpus: 2 });
        const calls = programs.map((program, i) =>
          machine.call(async () => {
            const names = new Set([current().comm]);
            for (const ms of program) {
              await msleep(ms);
              await Promise.resolve();
              names.add(current().comm);
            }
            return `${[...names].join()} ${machine.clock.now() / MS}`;
          }, `task-${i}`),
        );
        await machine.advanceAsync(100 * MS);
        const sum = (program: readonly number[]): number => program.reduce((all, ms) => all + ms, 0);
        expect(await Promise.all(calls)).toEqual(programs.map((program, i) => `task-${i} ${sum(program)}`));
      }),
      { numRuns: 40 },
    );
  });

  it('may be reached through plain functions', async () => {
    const machine = new Machine();
    const inner = async (ms: number): Promise<string> => {
      await msleep(ms);
      return `${current().comm} ${machine.clock.now() / MS}`;
    };
    const calls = [3, 1, 2].map((ms) => machine.call(() => inner(ms), `task-${ms}`));
    await machine.advanceAsync(10 * MS);
    expect(await Promise.all(calls)).toEqual(['task-3 3', 'task-1 1', 'task-2 2']);
  });

  it('may be work items and threads', async () => {
    const { machine, irq, at, pulse, taken } = fakeLines();
    const wq = allocWorkqueue('demo', WQ_UNBOUND, 0);
    const works = [2, 4].map(
      (ms) =>
        new Work(async () => {
          await msleep(ms);
          at(`work of ${ms}`);
        }),
    );
    const thread = async () => {
      for (const work of works) queueWork(wq, work);
      await msleep(3);
      at('thread');
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(irq, () => IRQ_WAKE_THREAD, thread, 0, 'a'));
    taken();
    pulse();
    await machine.advanceAsync(10 * MS);
    const steps = taken().map((entry) => entry.replace(/kworker\/u\d+:\d/, 'kworker'));
    expect(steps).toEqual(['ack', '2000 kworker work of 2', `3000 irq/${irq}-a thread`, '4000 kworker work of 4']);
  });
});

describe('an await outside of any task', () => {
  it('is refused also while a task waits: it is not taken for its', async () => {
    const machine = new Machine();
    const waiting = machine.call(async () => await msleep(5));
    await expect(async () => await msleep(1)).rejects.toMatchObject({
      code: 'EPERM',
      hint: expect.stringContaining('the model has called'),
    });
    await machine.advanceAsync(10 * MS);
    await waiting;
  });

  it('is refused in an async top half', async () => {
    const { machine, irq, pulse, printed } = fakeLines();
    machine.runTask(() => requestIrq(irq, (async () => await msleep(1)) as unknown as IrqHandler, 0, 'one'));
    pulse();
    await machine.advanceAsync(5 * MS);
    await new Promise((resolve) => setImmediate(resolve));
    expect(printed[0]).toMatch(/^emerg: BUG: scheduling while atomic/);
    expect(printed[1]).toMatch(/^alert: Oops: .*\nKernelError: await of a kernel primitive outside of a task/);
  });

  it('is refused when the function that it belongs to is over', async () => {
    const machine = new Machine();
    let late: Promise<unknown> = Promise.resolve();
    const call = machine.call(async () => {
      late = new Promise((resolve) => setImmediate(resolve)).then(() => msleep(1));
      late.catch(() => {});
    });
    await machine.advanceAsync(5 * MS);
    await call;
    await expect(late).rejects.toMatchObject({ code: 'EPERM' });
  });

  it('is refused when its task is already in the next call: it is not taken for that one', async () => {
    const machine = new Machine();
    const wq = allocWorkqueue('demo', WQ_UNBOUND, 1);
    const tasks: Task[] = [];
    let late: Promise<unknown> = Promise.resolve();
    let callLate = (): void => {};
    const first = new Work(async () => {
      tasks.push(current());
      late = new Promise<void>((resolve) => {
        callLate = resolve;
      }).then(() => msleep(50));
      late.catch(() => {});
    });
    const second = new Work(async () => {
      tasks.push(current());
      await msleep(1);
      callLate();
      await msleep(1);
    });
    const both = machine.call(function* () {
      queueWork(wq, first);
      queueWork(wq, second);
      yield* flushWork(second);
      return machine.clock.now() / MS;
    });
    await machine.advanceAsync(100 * MS);
    expect(tasks[1]).toBe(tasks[0]);
    await expect(late).rejects.toMatchObject({ code: 'EPERM' });
    expect(await both).toBe(2);
  });
});
