import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import { nsleep, udelay } from '../time/delay.js';
import { flushWork } from '../workqueue/flush.js';
import { scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { Request } from './coroutine.js';
import { current, preemptCount, smpProcessorId } from './current.js';
import { effect } from './effect.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

const MS = 1_000_000;

function rig() {
  const log: string[] = [];
  const machine = new Machine({ cpus: 2 });
  const at = (text: string): void => {
    log.push(`${machine.clock.now() / MS} ${text}`);
  };
  return { machine, log, at };
}

function raise(error: Error): never {
  throw error;
}

/** An effect of the user's own: sleeps, then gives or throws. */
const answer = effect(function* answer(ms: number, value: number) {
  yield* msleep(ms);
  if (value < 0) throw new KernelError('EIO', `no ${value}`);
  return value;
});

describe('an effect', () => {
  it('does nothing until it is taken', () => {
    const { machine } = rig();
    machine.runTask(() => {
      answer(5, 1);
    });
    expect(machine.clock.now()).toBe(0);
  });

  it('gives its result, or throws, to yield* and to await alike', async () => {
    const { machine } = rig();
    const generator = machine.call(function* () {
      const results: unknown[] = [yield* answer(1, 7)];
      try {
        yield* answer(1, -1);
      } catch (error) {
        results.push((error as KernelError).code);
      }
      return results;
    });
    await machine.advanceAsync(5 * MS);
    const asynchronous = machine.call(async () => {
      const results: unknown[] = [await answer(1, 7)];
      try {
        await answer(1, -1);
      } catch (error) {
        results.push((error as KernelError).code);
      }
      return results;
    });
    await machine.advanceAsync(5 * MS);
    expect([await generator, await asynchronous]).toEqual([
      [7, 'EIO'],
      [7, 'EIO'],
    ]);
  });

  it('can be what a function returns, in place of its result', async () => {
    const { machine } = rig();
    expect(machine.runTask(() => answer(3, 8))).toBe(8);
    const returned = machine.call(async () => answer(3, 9));
    await machine.advanceAsync(5 * MS);
    expect(await returned).toBe(9);
  });

  it('cannot be awaited outside of a task', async () => {
    await expect(async () => await msleep(1)).rejects.toMatchObject({
      code: 'EPERM',
      hint: expect.stringContaining('provideAsyncContext'),
    });
  });

  it('is no promise where a generator runs', async () => {
    const { machine } = rig();
    let refused: unknown;
    machine.runTask(() => {
      refused = msleep(1).then();
    });
    await expect(refused).rejects.toMatchObject({ code: 'EPERM', hint: 'use yield*' });
  });
});

describe('an async function', () => {
  it('runs in its task, in virtual time, before an await and after', async () => {
    const { machine, log, at } = rig();
    const done = machine.call(async () => {
      at(`${current().comm} ${preemptCount()}`);
      await msleep(5);
      at(`${current().comm} ${preemptCount()} ${smpProcessorId()}`);
      await udelay(500);
      at('end');
    }, 'worker');
    await machine.advanceAsync(20 * MS);
    await done;
    expect(log).toEqual(['0 worker 0', '5 worker 0 0', '5.5 end']);
  });

  it('keeps virtual time still while it waits for something outside of the model', async () => {
    const { machine, log, at } = rig();
    let settle = (): void => {};
    const outside = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const done = machine.call(async () => {
      await msleep(1);
      await outside;
      at('goes on');
      await msleep(1);
      at('ends');
    });
    machine.spawn('other', function* () {
      yield* msleep(2);
      at('other');
    });
    const advancing = machine.advanceAsync(10 * MS);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    expect([machine.clock.now(), log]).toEqual([1 * MS, []]);
    expect(() => machine.advance(1)).toThrow(/virtual time is held/);
    settle();
    await Promise.all([done, advancing]);
    expect(log).toEqual(['1 goes on', '2 other', '2 ends']);
    expect(machine.clock.now()).toBe(10 * MS);
  });

  it('is in state D while it waits', async () => {
    const { machine } = rig();
    const task = machine.spawn('waiter', () => new Promise<void>((resolve) => setImmediate(resolve)));
    expect(task.stateLetter).toBe('D');
    await machine.advanceAsync(1);
    expect([task.stateLetter, task.exited]).toEqual(['X', true]);
  });

  it('does what it awaits together one after the other: a task does one thing at a time', async () => {
    const { machine } = rig();
    const done = machine.call(async () => {
      const both = await Promise.all([answer(2, 1), answer(3, 2)]);
      const settled = await Promise.allSettled([answer(1, -1), answer(1, 4)]);
      return [both, settled.map(({ status }) => status), machine.clock.now() / MS];
    });
    await machine.advanceAsync(20 * MS);
    expect(await done).toEqual([[1, 2], ['rejected', 'fulfilled'], 7]);
  });

  it('is over when its last effect is, even one that it did not wait for', async () => {
    const { machine, at, log } = rig();
    const task = machine.spawn('forgetful', async () => {
      await msleep(1);
      answer(3, 1).then((value) => at(`done ${value}`));
    });
    await machine.advanceAsync(2 * MS);
    expect(task.exited).toBe(false);
    await machine.advanceAsync(5 * MS);
    expect([task.exited, log, machine.clock.now()]).toEqual([true, ['4 done 1'], 7 * MS]);
  });

  it('that rejects passes its error on, and lets time go', async () => {
    const { machine } = rig();
    const failed = machine.call(async () => {
      await msleep(1);
      throw new KernelError('ENODEV', 'gone');
    });
    const caught = failed.catch((error: unknown) => error);
    await machine.advanceAsync(5 * MS);
    expect(await caught).toMatchObject({ code: 'ENODEV', message: 'gone' });
    machine.advance(1);
  });

  it('is one of several at once at its own risk: without means to tell them apart, its await is refused', async () => {
    const { machine } = rig();
    const one = async (): Promise<string> => {
      await msleep(1);
      return 'fine';
    };
    const both = [machine.call(one), machine.call(one)].map((call) => call.catch((error: KernelError) => error.code));
    await machine.advanceAsync(5 * MS);
    expect(await Promise.all(both)).toEqual(['EPERM', 'EPERM']);
  });

  it('works with work items and their flushes', async () => {
    const { machine, at, log } = rig();
    const work = new Work(function* () {
      yield* msleep(4);
      at('work done');
    });
    const done = machine.call(async () => {
      scheduleWork(work);
      at(`flushed ${await flushWork(work)}`);
    });
    await machine.advanceAsync(10 * MS);
    await done;
    expect(log).toEqual(['4 work done', '4 flushed true']);
  });

  it('may wait for an effect that gives the CPU back in its own ways', async () => {
    const { machine } = rig();
    const points = effect(function* points(count: number) {
      for (let i = 0; i < count; i++) yield Request.point;
      return count;
    });
    const done = machine.call(async () => await points(5));
    await machine.advanceAsync(1);
    expect(await done).toBe(5);
  });

  it('that is a thenable whose then throws gives that error, and lets time go', () => {
    const { machine } = rig();
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried
    const broken = { then: () => raise(new KernelError('EIO', 'no then')) } as unknown as PromiseLike<void>;
    const run = () => machine.runTask(() => broken);
    expect(run).toThrow('no then');
    machine.advance(1);
    expect(machine.clock.now()).toBe(1);
  });

  it("that never settles is dropped with its machine, and stands in no other one's way", async () => {
    const dropped = (() => {
      const { machine } = rig();
      machine.spawn('stuck', () => new Promise<void>(() => {}));
      return new WeakRef(machine);
    })();
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    for (let i = 0; i < 10 && dropped.deref() !== undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      gc();
    }
    expect(dropped.deref()).toBeUndefined();
    const { machine } = rig();
    const done = machine.call(async () => await answer(1, 7));
    await machine.advanceAsync(5 * MS);
    expect(await done).toBe(7);
  });
});
