import { describe, expect, it } from 'vitest';
import { Mutex, mutexLock, mutexUnlock } from '../locking/mutex.js';
import { Spinlock, spinLockBh, spinUnlockBh } from '../locking/spinlock.js';
import { Machine } from '../machine.js';
import { mightSleep, preemptDisable, preemptEnable } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { msleep } from '../time/delay.js';
import { cancelDelayedWorkSync, cancelWorkSync } from './cancel.js';
import { DelayedWork, queueDelayedWork } from './delayed.js';
import { destroyWorkqueue } from './drain.js';
import { WQ_BH, WQ_MEM_RECLAIM } from './flags.js';
import { flushWork } from './flush.js';
import { flushWorkqueue } from './flush-workqueue.js';
import { queueWork } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue } from './workqueue.js';

/** Runs a body; what lockdep says, and other reports. */
function run(body: () => Coroutine<void>): string[] {
  const printed: string[] = [];
  const machine = new Machine({ printk: (_, text) => printed.push(text) });
  machine.runTask(body);
  return printed;
}

/** An item that takes a mutex. */
function locking(lock: Mutex, make: (fn: () => Coroutine<void>) => Work = (fn) => new Work(fn, 'update')): Work {
  return make(function* () {
    yield* mutexLock(lock);
    mutexUnlock(lock);
  });
}

const CIRCULAR = /possible circular locking dependency detected/;

describe('waiting with a lock held that the item takes', () => {
  it.each([
    ['flush_work', (work: Work) => flushWork(work), /trying to acquire lock:\n\S+ \(\(work_completion\)\(&update\)\)/],
    ['cancel_work_sync', (work: Work) => cancelWorkSync(work), /trying to acquire lock:\n\S+ \(\(work_completion\)/],
  ])('is reported by %s, though it went well, with the places of both', (_, wait, taken) => {
    const lock = new Mutex('state');
    const [report = '', ...others] = run(function* driver_remove() {
      const wq = allocWorkqueue('demo', 0, 0);
      const work = locking(lock);
      const slow = new Work(function* update() {
        yield* msleep(8);
      });
      queueWork(wq, work);
      yield* flushWork(work);
      queueWork(wq, slow);
      yield* msleep(4);
      yield* mutexLock(lock);
      yield* wait(slow);
      mutexUnlock(lock);
    });
    expect(report).toMatch(CIRCULAR);
    expect(report).toMatch(taken);
    expect(report).toMatch(/at: driver_remove \(.*lock-maps\.spec\.ts:\d+/);
    expect(others).toEqual([]);
  });

  it('is reported by flush_workqueue for any item of the queue, also of one that is done', () => {
    const lock = new Mutex('state');
    const [report = ''] = run(function* () {
      const wq = allocWorkqueue('demo', 0, 0);
      queueWork(
        wq,
        locking(lock, (fn) => new Work(fn)),
      );
      yield* flushWorkqueue(wq);
      yield* mutexLock(lock);
      yield* flushWorkqueue(wq);
      mutexUnlock(lock);
    });
    expect(report).toMatch(CIRCULAR);
    expect(report).toMatch(/\(wq_completion\)demo/);
  });

  it('names delayed items as they are made', () => {
    const lock = new Mutex('state');
    const [report = ''] = run(function* () {
      const wq = allocWorkqueue('demo', 0, 0);
      const work = new DelayedWork(function* update() {
        yield* mutexLock(lock);
        mutexUnlock(lock);
        yield* msleep(20);
      });
      queueDelayedWork(wq, work, 0);
      yield* msleep(1);
      yield* mutexLock(lock);
      yield* cancelDelayedWorkSync(work);
      mutexUnlock(lock);
    });
    expect(report).toMatch(/\(work_completion\)\(&\(&update\)->work\)/);
  });

  it('is not reported without that lock, for items without a name, nor of softirq items for a lock taken with softirqs off', () => {
    const [lock, other] = [new Mutex('state'), new Mutex('other')];
    const spin = new Spinlock('spin');
    const printed = run(function* () {
      const wq = allocWorkqueue('demo', 0, 0);
      const bh = allocWorkqueue('bh', WQ_BH, 0);
      const work = locking(lock);
      const soft = new Work(function* soft() {
        yield* spinLockBh(spin);
        spinUnlockBh(spin);
      });
      for (let i = 0; i < 2; i++) {
        queueWork(wq, work);
        queueWork(bh, soft);
        yield* mutexLock(other);
        yield* flushWork(work);
        yield* flushWork(soft);
        mutexUnlock(other);
        yield* spinLockBh(spin);
        spinUnlockBh(spin);
      }
      yield* destroyWorkqueue(bh);
      yield* destroyWorkqueue(wq);
    });
    expect(printed).toEqual([]);
  });
});

describe('an item that waits for another one of its queue', () => {
  const waiting = (flags: number): string[] =>
    run(function* () {
      const wq = allocWorkqueue('demo', flags, 0);
      const inner = new Work(() => msleep(4), 'inner');
      const outer = new Work(() => flushWork(inner), 'outer');
      queueWork(wq, inner);
      queueWork(wq, outer);
      yield* flushWork(outer);
    });

  it('is reported when the queue has a rescuer, which could be the only one to run them', () => {
    const [report = '', ...others] = waiting(WQ_MEM_RECLAIM);
    expect(report).toMatch(
      /possible recursive locking detected[\s\S]*trying to acquire lock:\n\S+ \(\(wq_completion\)demo\)/,
    );
    expect(others).toEqual([]);
  });

  it('is not reported when there is none', () => {
    expect(waiting(0)).toEqual([]);
  });
});

describe('a report in an item', () => {
  it('shows queue and item among the locks held, which are no obstacle to sleeping locks inside', () => {
    const lock = new Mutex('state');
    const [report = ''] = run(function* () {
      const work = new Work(function* update() {
        yield* mutexLock(lock);
        preemptDisable();
        mightSleep('test');
        preemptEnable();
        mutexUnlock(lock);
      });
      queueWork(allocWorkqueue('demo', 0, 0), work);
      yield* flushWork(work);
    });
    expect(report).toMatch(/^BUG: sleeping function[\s\S]*\n3 locks held by kworker\/0:0\/\d+:\n/);
    expect(report).toMatch(/ #0: \S+ \(\(wq_completion\)demo\)\{\+\.\+\.\}-\{0:0\}, at: process_one_work/);
    expect(report).toMatch(/ #1: \S+ \(\(work_completion\)\(&update\)\)\{\+\.\+\.\}-\{0:0\}, at: process_one_work/);
  });

  it('by lockdep does not make the item one that leaked a lock', () => {
    const [a, b] = [new Mutex('a'), new Mutex('b')];
    const printed = run(function* () {
      const work = new Work(function* update() {
        yield* mutexLock(a);
        yield* mutexLock(b);
        mutexUnlock(b);
        mutexUnlock(a);
        yield* mutexLock(b);
        yield* mutexLock(a);
        mutexUnlock(a);
        mutexUnlock(b);
      });
      queueWork(allocWorkqueue('demo', 0, 0), work);
      yield* flushWork(work);
    });
    expect(printed.length).toBe(1);
    expect(printed[0]).toMatch(CIRCULAR);
  });
});
