import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { preemptDisable, preemptEnable, preemptPoint } from '../sched/core.js';
import { preemptCount } from '../sched/current.js';
import { allowSignal, SIGKILL, SIGTERM, sendSig } from '../sched/signal.js';
import { msleep, ndelay, nsleep } from '../time/delay.js';
import {
  Mutex,
  mutexIsLocked,
  mutexLock,
  mutexLockInterruptible,
  mutexLockKillable,
  mutexTrylock,
  mutexUnlock,
} from './mutex.js';

function rig(options: MachineOptions = {}) {
  const log: string[] = [];
  const machine = new Machine({ printk: (_level, text) => log.push(text), ...options });
  return { log, machine };
}

describe('mutex', () => {
  it('does what recording 72 did: first come, first served, and no hand-over before a waiter came too late', () => {
    const lock = new Mutex('M');
    const { machine, log } = rig();
    const events: unknown[] = [];
    const waiter = (name: string) => () =>
      machine.spawn(
        name,
        function* () {
          events.push([name, 'trylock', mutexTrylock(lock)]);
          yield* mutexLock(lock);
          events.push([name, 'got']);
          yield* msleep(8);
          events.push([name, 'unlock']);
          mutexUnlock(lock);
        },
        { rtPriority: 50 },
      );
    machine.spawn(
      'oracle',
      function* () {
        events.push(mutexIsLocked(lock), mutexTrylock(lock), mutexIsLocked(lock), mutexTrylock(lock));
        for (const name of ['m1', 'm2', 'm3']) {
          waiter(name)();
          yield* preemptPoint();
        }
        events.push('unlock');
        mutexUnlock(lock);
        yield* preemptPoint();
        events.push('unlock.returned');
        yield* msleep(100);
        events.push(yield* mutexLockInterruptible(lock));
        waiter('m1')();
        yield* preemptPoint();
        preemptDisable();
        mutexUnlock(lock);
        events.push(['right after unlock', mutexTrylock(lock), preemptCount()]);
        preemptEnable();
        yield* msleep(8);
        mutexUnlock(lock);
        yield* msleep(40);
      },
      { rtPriority: 1 },
    );
    machine.advance(1_000_000_000);
    expect(events).toEqual([
      ...[false, true, true, false],
      ...[['m1', 'trylock', false], ['m2', 'trylock', false], ['m3', 'trylock', false], 'unlock'],
      ...[['m1', 'got'], 'unlock.returned', ['m1', 'unlock'], ['m2', 'got'], ['m2', 'unlock'], ['m3', 'got']],
      ...[['m3', 'unlock'], 0, ['m1', 'trylock', false], ['right after unlock', true, 1]],
      ...[
        ['m1', 'got'],
        ['m1', 'unlock'],
      ],
    ]);
    expect(log).toEqual([]);
  });

  it('hands the lock to a waiter that came too late once, so that nobody starves', () => {
    const lock = new Mutex('M');
    const { machine } = rig();
    const order: string[] = [];
    machine.spawn(
      'greedy',
      function* () {
        yield* mutexLock(lock);
        yield* msleep(1);
        for (let i = 0; i < 5; i++) {
          mutexUnlock(lock);
          yield* mutexLock(lock);
          order.push('greedy');
          yield* msleep(1);
        }
        mutexUnlock(lock);
      },
      { rtPriority: 50 },
    );
    machine.spawn('modest', function* () {
      yield* mutexLock(lock);
      order.push('modest');
      mutexUnlock(lock);
    });
    machine.advance(1_000_000_000);
    expect(order.indexOf('modest')).toBe(1);
    expect(order).toHaveLength(6);
  });

  it('ends an interruptible wait by a signal that is allowed, a killable one by SIGKILL only', () => {
    const lock = new Mutex('M');
    const { machine } = rig();
    const results: unknown[] = [];
    const wait = (name: string, take: typeof mutexLock, ...allowed: number[]) =>
      machine.spawn(name, function* () {
        allowed.forEach(allowSignal);
        results.push([name, yield* take(lock)]);
      });
    machine.spawn('holder', function* () {
      yield* mutexLock(lock);
      yield* msleep(1000);
      mutexUnlock(lock);
    });
    machine.advance(1_000_000);
    const deaf = wait('deaf', mutexLockInterruptible);
    const interruptible = wait('interruptible', mutexLockInterruptible, SIGTERM);
    const killable = wait('killable', mutexLockKillable, SIGTERM, SIGKILL);
    machine.advance(1_000_000);
    for (const task of [deaf, interruptible, killable]) sendSig(SIGTERM, task);
    machine.advance(1_000_000);
    expect(results).toEqual([['interruptible', -4]]);
    sendSig(SIGKILL, killable);
    machine.advance(1_000_000);
    expect(results).toEqual([
      ['interruptible', -4],
      ['killable', -4],
    ]);
    expect(lock.waiters).toEqual([deaf]);
  });

  it('unlocked by another task is reported, and unlocked', () => {
    for (const lockdep of [true, false]) {
      const lock = new Mutex('M');
      const { machine, log } = rig({ lockdep });
      machine.spawn('owner', function* () {
        yield* mutexLock(lock);
        yield* msleep(10);
      });
      machine.spawn('other', () => mutexUnlock(lock));
      machine.advance(1_000_000);
      expect(mutexIsLocked(lock)).toBe(false);
      expect(log).toHaveLength(1);
      expect(log[0]).toContain(
        lockdep ? 'other/3 is trying to release lock (M) at:' : 'DEBUG_LOCKS_WARN_ON(__owner_task(owner) != current)',
      );
    }
  });

  it('can be awaited by several async functions', async () => {
    const lock = new Mutex('M');
    const { machine, log } = rig();
    const order: string[] = [];
    const one = machine.call(async () => {
      await mutexLock(lock);
      await msleep(5);
      order.push('one');
      mutexUnlock(lock);
    });
    await machine.advanceAsync(1_000_000);
    machine.spawn('two', function* () {
      yield* mutexLock(lock);
      order.push('two');
      mutexUnlock(lock);
    });
    await machine.advanceAsync(100_000_000);
    await one;
    expect(order).toEqual(['one', 'two']);
    expect(log).toEqual([]);
  });
});

describe('tasks that wait for each other', () => {
  it('are named with what they hold and where, and the run ends', () => {
    const [a, b] = [new Mutex('A'), new Mutex('B')];
    const { machine, log } = rig();
    function* both(first: Mutex, second: Mutex) {
      yield* mutexLock(first);
      yield* msleep(10);
      yield* mutexLock(second);
    }
    machine.spawn('other', () => both(b, a));
    expect(() => machine.runTask(() => both(a, b), 'one')).toThrow(
      /^task one\/3 sleeps, and nothing is left that could wake it\n one\/3 \(D\) waits for mutex B, held by other\/2\n {4}holds A/,
    );
    const report = log.find((text) => text.startsWith('INFO: deadlock: '));
    expect(report?.replaceAll(/taken at .*mutex\.spec\.ts.*$/gm, 'PLACE').split('\n')).toEqual([
      'INFO: deadlock: other/2 can never go on',
      ' other/2 (D) waits for mutex A, held by one/3',
      '    holds B, PLACE',
      ' one/3 (D) waits for mutex B, held by other/2',
      '    holds A, PLACE',
    ]);
  });

  it('includes a task that waits for itself', () => {
    const lock = new Mutex('M');
    const { machine, log } = rig({ lockdep: false });
    expect(() =>
      machine.runTask(function* () {
        yield* mutexLock(lock);
        yield* mutexLock(lock);
      }),
    ).toThrow('waits for mutex M, held by init/2');
    expect(log[0]).toContain('INFO: deadlock: init/2 can never go on');
  });
});

describe('mutual exclusion', () => {
  it('holds for random programs on several CPUs, and nobody is forgotten', () => {
    const step = fc.record({
      before: fc.integer({ min: 0, max: 300 }),
      sleeps: fc.boolean(),
      inside: fc.integer({ min: 0, max: 300 }),
    });
    const programs = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(programs, fc.integer({ min: 1, max: 3 }), (tasks, cpus) => {
        const lock = new Mutex('property');
        const { machine, log } = rig({ cpus });
        let inside = 0;
        let rounds = 0;
        const spawned = tasks.map((steps, id) =>
          machine.spawn(`t${id}`, function* () {
            for (const { before, sleeps, inside: ns } of steps) {
              yield* sleeps ? nsleep(before) : ndelay(before);
              yield* mutexLock(lock);
              expect(++inside).toBe(1);
              rounds++;
              yield* sleeps ? ndelay(ns) : nsleep(ns);
              inside--;
              mutexUnlock(lock);
            }
          }),
        );
        machine.advance(1_000_000_000);
        expect(spawned.every((task) => task.exited && task.exitError === undefined)).toBe(true);
        expect(rounds).toBe(tasks.flat().length);
        expect(lock.owner ?? lock.waiters[0]).toBeUndefined();
        expect(log).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('wakes waiters in the order in which they went to sleep', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 8 }), (delays) => {
        const lock = new Mutex('fifo');
        const { machine } = rig({ cpus: 2 });
        const got: number[] = [];
        machine.spawn('holder', function* () {
          yield* mutexLock(lock);
          yield* msleep(5);
          mutexUnlock(lock);
        });
        for (const us of delays) {
          machine.spawn(`w${us}`, function* () {
            yield* nsleep(us * 1000);
            yield* mutexLock(lock);
            got.push(us);
            yield* nsleep(100);
            mutexUnlock(lock);
          });
        }
        machine.advance(1_000_000_000);
        expect(got).toEqual([...delays].sort((a, b) => a - b));
      }),
      { numRuns: 40 },
    );
  });
});
