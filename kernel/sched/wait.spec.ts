import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { schedule } from './core.js';
import { current } from './current.js';
import { allowSignal, kernelDequeueSignal, SIGTERM, sendSig, signalPending } from './signal.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING } from './task.js';
import {
  addWaitQueue,
  defaultWakeFunction,
  finishWait,
  prepareToWait,
  prepareToWaitEvent,
  prepareToWaitExclusive,
  WaitQueueEntry,
  WaitQueueHead,
  waitEvent,
  waitEventExclusive,
  waitEventInterruptible,
  waitEventTimeout,
  waitqueueActive,
  wakeUp,
  wakeUpAll,
  wakeUpInterruptible,
  wakeUpNr,
} from './wait.js';

describe('wait_event', () => {
  it('looks at its condition first, and again at each wake-up', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    const box = { ready: true, looks: 0 };
    const condition = (): boolean => {
      box.looks++;
      return box.ready;
    };
    machine.runTask(() => waitEvent(head, condition));
    expect(box.looks).toBe(1);
    box.ready = false;
    const task = machine.spawn('waiter', () => waitEvent(head, condition));
    machine.advance(1000);
    machine.runTask(() => wakeUp(head));
    expect([task.exited, waitqueueActive(head)]).toEqual([false, true]);
    box.ready = true;
    machine.advance(1000);
    expect(task.exited).toBe(false);
    machine.runTask(() => wakeUp(head));
    machine.advance(1000);
    expect([task.exited, waitqueueActive(head)]).toEqual([true, false]);
  });

  it('with a timeout gives what is left, at least 1 if the condition holds', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    machine.runTask(function* () {
      expect(yield* waitEventTimeout(head, () => false, 5)).toBe(0);
      expect(yield* waitEventTimeout(head, () => true, 0)).toBe(1);
      expect(yield* waitEventTimeout(head, () => true, 5)).toBe(5);
      const end = machine.clock.now() + 8_000_000;
      expect(yield* waitEventTimeout(head, () => machine.clock.now() > end, 5)).toBe(1);
    });
  });

  it('with a timeout of 0 looks once, and one below 0 is reported', () => {
    const head = new WaitQueueHead();
    const printed: string[] = [];
    const machine = new Machine({ printk: (level, text) => printed.push(`${level}: ${text}`) });
    let looks = 0;
    const never = (): boolean => ++looks < 0;
    machine.runTask(function* () {
      expect([yield* waitEventTimeout(head, never, 0), looks]).toEqual([0, 1]);
      expect([yield* waitEventTimeout(head, never, -1), looks]).toEqual([0, 4]);
    });
    expect(printed[0]).toBe('err: schedule_timeout: wrong timeout value ffffffffffffffff');
  });

  it('interruptibly ends by a signal, and by wake_up_interruptible, which leaves others asleep', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    const box = { ready: false, result: 1 };
    const task = machine.spawn('waiter', function* () {
      allowSignal(SIGTERM);
      box.result = yield* waitEventInterruptible(head, () => box.ready);
      expect([signalPending(), kernelDequeueSignal(), kernelDequeueSignal()]).toEqual([true, SIGTERM, 0]);
      box.result = yield* waitEventInterruptible(head, () => box.ready);
    });
    const deep = machine.spawn('deep', () => waitEvent(head, () => box.ready));
    machine.advance(1000);
    sendSig(SIGTERM, task);
    machine.advance(1000);
    expect([box.result, task.exited]).toEqual([-512, false]);
    box.ready = true;
    machine.runTask(() => wakeUpInterruptible(head));
    machine.advance(1000);
    expect([box.result, task.exited, deep.exited]).toEqual([0, true, false]);
  });
});

describe('wake_up', () => {
  it('wakes all that wait plainly and as many exclusive ones as it is told, which it counts', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    const box = { ready: false };
    const order: string[] = [];
    const wait = (name: string, take: typeof waitEvent): void => {
      machine.spawn(name, function* () {
        yield* take(head, () => box.ready);
        order.push(name);
      });
      machine.advance(1000);
    };
    for (const name of ['e1', 'e2', 'e3', 'e4']) wait(name, waitEventExclusive);
    for (const name of ['p1', 'p2']) wait(name, waitEvent);
    box.ready = true;
    const wake = (fn: () => number): (string | number)[] => {
      const exclusive = machine.runTask(fn);
      machine.advance(1000);
      return [exclusive, ...order.splice(0)];
    };
    expect(wake(() => wakeUp(head))).toEqual([1, 'p2', 'p1', 'e1']);
    expect(wake(() => wakeUpNr(head, 2))).toEqual([2, 'e2', 'e3']);
    expect(wake(() => wakeUpAll(head))).toEqual([1, 'e4']);
    expect(wake(() => wakeUpAll(head))).toEqual([0]);
  });
});

describe('prepare_to_wait', () => {
  it('loses no wake-up between the look and the sleep', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    machine.runTask(function* () {
      const entry = new WaitQueueEntry();
      prepareToWait(head, entry, TASK_INTERRUPTIBLE);
      wakeUp(head);
      expect(current().state).toBe(TASK_RUNNING);
      yield* schedule();
      finishWait(head, entry);
      expect(waitqueueActive(head)).toBe(false);
    });
  });
});

describe('an entry that is on the queue', () => {
  it('is exclusive or not as it was prepared last', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    machine.runTask(function* () {
      const entry = new WaitQueueEntry(defaultWakeFunction);
      addWaitQueue(head, entry);
      expect(prepareToWaitExclusive(head, entry, TASK_INTERRUPTIBLE)).toBe(false);
      expect(wakeUp(head)).toBe(1);
      prepareToWait(head, entry, TASK_INTERRUPTIBLE);
      expect([wakeUp(head), waitqueueActive(head)]).toEqual([0, true]);
      finishWait(head, entry);
      yield* schedule();
    });
  });

  it('leaves it when a signal is pending, so that another one gets the next wake-up', () => {
    const head = new WaitQueueHead();
    const machine = new Machine();
    machine.runTask(() => {
      const entry = new WaitQueueEntry();
      expect(prepareToWaitEvent(head, entry, TASK_INTERRUPTIBLE, true)).toBe(0);
      allowSignal(SIGTERM);
      sendSig(SIGTERM, current());
      expect(prepareToWaitEvent(head, entry, TASK_INTERRUPTIBLE, true)).toBe(-512);
      expect([waitqueueActive(head), current().state]).toEqual([false, TASK_RUNNING]);
    });
  });
});

describe('producers and consumers', () => {
  it('lose no item and no wake-up, on any number of CPUs', () => {
    const program = fc.record({
      cpus: fc.integer({ min: 1, max: 4 }),
      consumers: fc.integer({ min: 1, max: 4 }),
      gaps: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(program, ({ cpus, consumers, gaps }) => {
        const head = new WaitQueueHead();
        const machine = new Machine({ cpus });
        const queue: number[] = [];
        const taken: number[] = [];
        for (let i = 0; i < consumers; i++) {
          machine.spawn(`c${i}`, function* () {
            for (;;) {
              yield* waitEventExclusive(head, () => queue.length > 0);
              const item = queue.shift();
              if (item !== undefined) taken.push(item);
            }
          });
        }
        machine.spawn('producer', function* () {
          for (const [n, ms] of gaps.entries()) {
            yield* msleep(ms);
            queue.push(n);
            wakeUp(head);
          }
        });
        machine.advance(2_000_000_000);
        expect(taken).toEqual(gaps.map((_, n) => n));
      }),
      { numRuns: 60 },
    );
  });
});
