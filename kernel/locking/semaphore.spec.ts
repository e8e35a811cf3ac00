import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { preemptPoint } from '../sched/core.js';
import { DONE } from '../sched/coroutine.js';
import { current } from '../sched/current.js';
import { allowSignal, SIGTERM, sendSig } from '../sched/signal.js';
import { TASK_RUNNING } from '../sched/task.js';
import { msleep } from '../time/delay.js';
import { down, downInterruptible, downTimeout, downTrylock, Semaphore, up } from './semaphore.js';

describe('semaphore', () => {
  it('lets as many in as it counts, and the others in the order in which they came', () => {
    const slots = new Semaphore(2);
    const machine = new Machine();
    const order: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      machine.spawn(name, function* () {
        yield* down(slots);
        order.push(`${name} in`);
        yield* msleep(name === 'a' ? 20 : 50);
        order.push(`${name} out`);
        up(slots);
      });
    }
    machine.advance(1_000_000_000);
    expect(order).toEqual(['a in', 'b in', 'a out', 'c in', 'b out', 'd in', 'c out', 'd out']);
    expect(slots.count).toBe(2);
  });

  it('gives its count to a waiter, not to who asks later', () => {
    const slots = new Semaphore(0);
    const machine = new Machine();
    const task = machine.spawn('waiter', () => down(slots));
    machine.advance(1000);
    machine.runTask(() => {
      up(slots);
      expect(downTrylock(slots)).toBe(1);
    });
    machine.advance(1000);
    expect(task.exited).toBe(true);
    machine.runTask(() => up(slots));
    expect([downTrylock(slots), downTrylock(slots)]).toEqual([0, 1]);
  });

  it('is given up at a timeout or by a signal', () => {
    const slots = new Semaphore(0);
    const machine = new Machine();
    expect(machine.runTask(() => downTimeout(slots, 3))).toBe(-62);
    const task = machine.spawn('waiter', function* () {
      allowSignal(SIGTERM);
      return yield* downInterruptible(slots);
    });
    machine.advance(1000);
    sendSig(SIGTERM, task);
    machine.advance(1000);
    expect([task.exitValue, slots.waiters.length]).toEqual([-4, 0]);
  });

  it('forgets an interrupt that wanted to sleep for it', () => {
    const slots = new Semaphore(0);
    const machine = new Machine();
    const { bootCpu } = machine;
    const thrown: unknown[] = [];
    machine.runTask(function* () {
      bootCpu.callFunction(() =>
        bootCpu.suspend(down(slots), (error) => {
          thrown.push(error);
          return DONE;
        }),
      );
      yield* preemptPoint();
      expect(current().state).toBe(TASK_RUNNING);
      up(slots);
    });
    expect(thrown).toEqual([expect.objectContaining({ code: 'EDEADLK' })]);
    expect([slots.count, slots.waiters.length]).toEqual([1, 0]);
  });
});
