import { describe, expect, it } from 'vitest';
import { Spinlock, spinIsLocked, spinLockIrq, spinUnlockIrq } from '../locking/spinlock.js';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { condResched, setCurrentState } from './core.js';
import { irqsDisabled } from './current.js';
import { allowSignal, SIGTERM, sendSig } from './signal.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING } from './task.js';
import { addWaitQueue, removeWaitQueue, WaitQueueEntry, WaitQueueHead, wakeUp } from './wait.js';
import {
  waitEventHrtimeout,
  waitEventInterruptibleHrtimeout,
  waitEventInterruptibleLockIrq,
  waitEventLockIrq,
  waitEventLockIrqTimeout,
  waitVarEvent,
  waitWoken,
  wakeUpVar,
  wokenWakeFunction,
} from './wait-variants.js';

function rig() {
  const printed: string[] = [];
  const machine = new Machine({ printk: (_, text) => printed.push(text) });
  return { machine, printed, head: new WaitQueueHead() };
}

describe('a wait under a lock', () => {
  it('looks at the condition with the lock, and sleeps without', () => {
    const { machine, printed, head } = rig();
    const lock = new Spinlock('items');
    const seen: boolean[] = [];
    let ready = false;
    machine.spawn('giver', function* () {
      yield* msleep(4);
      yield* spinLockIrq(lock);
      ready = true;
      wakeUp(head);
      spinUnlockIrq(lock);
    });
    machine.runTask(function* () {
      yield* spinLockIrq(lock);
      yield* waitEventLockIrq(
        head,
        () => {
          seen.push(spinIsLocked(lock) && irqsDisabled());
          return ready;
        },
        lock,
      );
      expect([spinIsLocked(lock), irqsDisabled()]).toEqual([true, true]);
      expect(yield* waitEventLockIrqTimeout(head, () => false, lock, 2)).toBe(0);
      expect(yield* waitEventLockIrqTimeout(head, () => true, lock, 0)).toBe(1);
      spinUnlockIrq(lock);
    });
    expect([seen, printed]).toEqual([[true, true, true], []]);
  });

  it('interruptibly ends by a signal, with the lock', () => {
    const { machine, head } = rig();
    const lock = new Spinlock('items');
    const task = machine.spawn('waiter', function* () {
      allowSignal(SIGTERM);
      yield* spinLockIrq(lock);
      const result = yield* waitEventInterruptibleLockIrq(head, () => false, lock);
      const locked = spinIsLocked(lock);
      spinUnlockIrq(lock);
      return [result, locked];
    });
    machine.advance(1000);
    sendSig(SIGTERM, task);
    machine.advance(1000);
    expect(task.exitValue).toEqual([-512, true]);
  });
});

describe('a wait to the nanosecond', () => {
  it('gives 0 when the condition holds, also at the last moment, and -ETIME otherwise', () => {
    const { machine, head } = rig();
    machine.runTask(function* () {
      const start = machine.clock.now();
      expect(yield* waitEventHrtimeout(head, () => true, 0)).toBe(0);
      expect(yield* waitEventHrtimeout(head, () => false, 1_500)).toBe(-62);
      expect(machine.clock.now() - start).toBe(1_500);
      expect(yield* waitEventHrtimeout(head, () => machine.clock.now() >= start + 2_000, 500)).toBe(0);
    });
  });

  it('has no limit when that is infinite, and ends by a signal', () => {
    const { machine, head } = rig();
    const task = machine.spawn('waiter', function* () {
      allowSignal(SIGTERM);
      return yield* waitEventInterruptibleHrtimeout(head, () => false, Number.POSITIVE_INFINITY);
    });
    machine.advance(1_000_000_000);
    expect(task.exited).toBe(false);
    sendSig(SIGTERM, task);
    machine.advance(1000);
    expect(task.exitValue).toBe(-512);
  });
});

describe('wait_woken', () => {
  it('keeps a wake-up that came before it', () => {
    const { machine, head } = rig();
    machine.runTask(function* () {
      const entry = new WaitQueueEntry(wokenWakeFunction);
      addWaitQueue(head, entry);
      wakeUp(head);
      expect(yield* waitWoken(entry, TASK_INTERRUPTIBLE, 5)).toBe(5);
      expect(yield* waitWoken(entry, TASK_INTERRUPTIBLE, 5)).toBe(0);
      removeWaitQueue(head, entry);
    });
  });
});

describe('wait_var_event', () => {
  it('looks again when it is told that the variable has changed', () => {
    const { machine } = rig();
    const variable = { value: 0 };
    const task = machine.spawn('waiter', () => waitVarEvent(variable, () => variable.value === 1));
    machine.advance(1000);
    machine.runTask(() => wakeUpVar({}));
    variable.value = 1;
    machine.advance(1000);
    expect(task.exited).toBe(false);
    machine.runTask(() => wakeUpVar(variable));
    machine.advance(1000);
    expect(task.exited).toBe(true);
  });
});

it('cond_resched does not mind a state that is set for a sleep to come', () => {
  const { machine, printed } = rig();
  machine.runTask(function* () {
    setCurrentState(TASK_INTERRUPTIBLE);
    yield* condResched();
    setCurrentState(TASK_RUNNING);
  });
  expect(printed).toEqual([]);
});
