import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { jiffies } from '../time/jiffies.js';
import {
  COMPLETED_FOR_EVER,
  Completion,
  complete,
  completeAll,
  completionDone,
  reinitCompletion,
  tryWaitForCompletion,
  waitForCompletion,
  waitForCompletionInterruptible,
  waitForCompletionInterruptibleTimeout,
  waitForCompletionKillable,
  waitForCompletionTimeout,
} from './completion.js';
import { preemptDisable, preemptEnable, preemptPoint } from './core.js';
import { type Coroutine, DONE } from './coroutine.js';
import { allowSignal, SIGKILL, SIGTERM, sendSig } from './signal.js';

describe('a completion without waiters (recording 70)', () => {
  it('counts', () => {
    const x = new Completion();
    new Machine().runTask(function* () {
      complete(x);
      complete(x);
      expect([x.done, completionDone(x)]).toEqual([2, true]);
      yield* waitForCompletion(x);
      yield* waitForCompletion(x);
      expect([x.done, completionDone(x)]).toEqual([0, false]);
      expect(tryWaitForCompletion(x)).toBe(false);
      complete(x);
      expect([tryWaitForCompletion(x), x.done]).toEqual([true, 0]);
    });
  });

  it('gives the remaining jiffies, at least 1, or 0', () => {
    const x = new Completion();
    new Machine().runTask(function* () {
      const before = jiffies();
      expect(yield* waitForCompletionTimeout(x, 3)).toBe(0);
      expect(jiffies() - before).toBe(4);
      expect(yield* waitForCompletionTimeout(x, 0)).toBe(0);
      complete(x);
      expect(yield* waitForCompletionTimeout(x, 10)).toBe(10);
      complete(x);
      expect(yield* waitForCompletionTimeout(x, 0)).toBe(1);
      complete(x);
      expect(yield* waitForCompletionInterruptible(x)).toBe(0);
    });
  });

  it('is done for ever after complete_all, until it is initialised again', () => {
    const x = new Completion();
    new Machine().runTask(function* () {
      completeAll(x);
      for (let i = 0; i < 3; i++) yield* waitForCompletion(x);
      expect([x.done, completionDone(x)]).toEqual([COMPLETED_FOR_EVER, true]);
      complete(x);
      expect(x.done).toBe(COMPLETED_FOR_EVER);
      reinitCompletion(x);
      expect([x.done, completionDone(x)]).toEqual([0, false]);
    });
  });
});

describe('waiters of a completion (recording 70)', () => {
  function rig() {
    const x = new Completion();
    const machine = new Machine();
    const events: unknown[] = [];
    const waiter = (name: string, wait: () => Coroutine<unknown> = () => waitForCompletion(x)) =>
      machine.spawn(
        name,
        function* () {
          const result = yield* wait();
          events.push(result === undefined ? name : [name, result]);
        },
        { rtPriority: 50 },
      );
    const oracle = (body: () => Coroutine): void => void machine.spawn('oracle', body, { rtPriority: 1 });
    return { x, machine, events, waiter, oracle };
  }

  it('go one for each complete, first in, first out', () => {
    const { x, machine, events, waiter, oracle } = rig();
    oracle(function* () {
      for (const name of ['w1', 'w2', 'w3']) waiter(name);
      yield* preemptPoint();
      for (let n = 1; n <= 3; n++) {
        events.push(n);
        complete(x);
        yield* msleep(8);
      }
      for (const name of ['w1', 'w2', 'w3']) waiter(name);
      yield* preemptPoint();
      preemptDisable();
      complete(x);
      complete(x);
      events.push('completed twice');
      preemptEnable();
      yield* msleep(8);
      events.push(x.done);
      complete(x);
    });
    machine.advance(1_000_000_000);
    expect(events).toEqual([1, 'w1', 2, 'w2', 3, 'w3', 'completed twice', 'w1', 'w2', 0, 'w3']);
  });

  it('all go at complete_all, and from a hard interrupt too', () => {
    const { x, machine, events, waiter, oracle } = rig();
    oracle(function* () {
      for (const name of ['w1', 'w2', 'w3']) waiter(name);
      yield* preemptPoint();
      completeAll(x);
      events.push('complete_all');
      yield* msleep(8);
      reinitCompletion(x);
      waiter('w1');
      yield* preemptPoint();
      machine.bootCpu.callFunction(() => {
        complete(x);
        events.push('complete returned');
        return DONE;
      });
      yield* preemptPoint();
      events.push('after');
    });
    machine.advance(1_000_000_000);
    expect(events).toEqual(['complete_all', 'w1', 'w2', 'w3', 'complete returned', 'w1', 'after']);
  });

  it('give up at the timeout, or by a signal', () => {
    const { x, machine, events, waiter } = rig();
    const state = { left: 0 };
    waiter('completed', function* () {
      state.left = yield* waitForCompletionTimeout(x, 50);
    });
    machine.advance(20_000_000);
    complete(x);
    machine.advance(1_000_000);
    expect(state.left).toBeGreaterThan(40);
    waiter('expires', () => waitForCompletionTimeout(x, 5));
    const signalled = (name: string, wait: () => Coroutine<unknown>) =>
      waiter(name, function* () {
        allowSignal(SIGTERM);
        allowSignal(SIGKILL);
        return yield* wait();
      });
    const tasks = [
      signalled('interruptible', () => waitForCompletionInterruptible(x)),
      signalled('with timeout', () => waitForCompletionInterruptibleTimeout(x, 1000)),
      signalled('killable', () => waitForCompletionKillable(x)),
      signalled('deaf', () => waitForCompletion(x)),
    ];
    machine.advance(100_000_000);
    for (const task of tasks) sendSig(SIGTERM, task);
    machine.advance(1_000_000);
    for (const task of tasks) sendSig(SIGKILL, task);
    machine.advance(1_000_000);
    expect(events).toEqual([
      'completed',
      ['expires', 0],
      ['interruptible', -512],
      ['with timeout', -512],
      ['killable', -512],
    ]);
    expect(x.waiters).toHaveLength(1);
  });
});

describe('counting', () => {
  it('lets exactly as many waits through as there were completes, whenever they come', () => {
    const program = fc.record({
      waits: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      completes: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
      cpus: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(program, ({ waits, completes, cpus }) => {
        const x = new Completion();
        const machine = new Machine({ cpus });
        let through = 0;
        for (const [i, ms] of waits.entries()) {
          machine.spawn(`w${i}`, function* () {
            yield* msleep(ms);
            yield* waitForCompletion(x);
            through++;
          });
        }
        for (const [i, ms] of completes.entries()) {
          machine.spawn(`c${i}`, function* () {
            yield* msleep(ms);
            complete(x);
          });
        }
        machine.advance(1_000_000_000);
        expect(through).toBe(Math.min(waits.length, completes.length));
        expect(x.done).toBe(completes.length - through);
        expect(x.waiters).toHaveLength(waits.length - through);
      }),
      { numRuns: 60 },
    );
  });
});
