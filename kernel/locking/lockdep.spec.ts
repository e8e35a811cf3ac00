import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import {
  localIrqDisable,
  localIrqEnable,
  mightSleep,
  preemptDisable,
  preemptEnable,
  preemptPoint,
  schedule,
} from '../sched/core.js';
import { type Coroutine, DONE } from '../sched/coroutine.js';
import { current } from '../sched/current.js';
import { TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { localBhDisable, localBhEnable, NET_RX_SOFTIRQ, openSoftirq, raiseSoftirq } from '../softirq/softirq.js';
import { Mutex, mutexIsLocked, mutexLock, mutexLockNested, mutexTrylock, mutexUnlock } from './mutex.js';
import { Rwlock, readLock, readUnlock, writeLock, writeUnlock } from './rwlock.js';
import {
  Spinlock,
  spinLock,
  spinLockBh,
  spinLockIrq,
  spinLockIrqsave,
  spinLockNested,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrq,
  spinUnlockIrqrestore,
} from './spinlock.js';

interface Line {
  readonly kernel?: string;
}

/** The kernel's messages of a recording, without what depends on its build. */
function recorded(name: string): string[] {
  const text = readFileSync(new URL(`../../test/conformance/recordings/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .flatMap(({ kernel }) => (kernel === undefined ? [] : [kernel]))
    .filter((line) => !/^(irq event stamp|hardirqs last|softirqs last)/.test(line))
    .map((line) =>
      line
        .replace(/^6\.12\S*/, 'RELEASE')
        .replace(/context at \S+$/, 'context at PLACE')
        .replace(/at: .*/, 'at: PLACE')
        .replace(/^\[<ADDR>\] .*/, 'PLACE'),
    );
}

/** Frames of the user's code: what a recording has not got. */
const FRAME = /^\s*(?!\s*#\d|ffff).*\.spec\.ts:\d+:\d+\)?$/;

/** Lines of a dumped stack around its frames, and the model's hint. */
const DUMP = /^(CPU: \d|Call Trace:| <\/?[A-Z]+>|called: )/;

function said(log: readonly string[]): string[] {
  return log
    .flatMap((text) => text.replace(/\n$/, '').split('\n'))
    .map((line) =>
      line
        .replace(/^6\.12\S*/, 'RELEASE')
        .replace(/ffff8880[0-9a-f]{8}/, 'ADDR')
        .replace(/context at .*$/, 'context at PLACE')
        .replace(/at: .*/, 'at: PLACE')
        .replace(/(\w+)\/\d+/g, '$1/P')
        .replace(/pid: \d+/, 'pid: P'),
    )
    .map((line, i, lines) => (lines[i - 1]?.includes('is trying to release lock') === true ? 'PLACE' : line))
    .filter((line) => !FRAME.test(line) && !DUMP.test(line));
}

/** Runs a program as the task `oracle` on one CPU, with a way to run something in a hard interrupt at once. */
function run(program: (hard: (fn: () => void) => Coroutine<void>) => Coroutine): { log: string[] } {
  const log: string[] = [];
  const machine = new Machine({ printk: (_level, text) => log.push(text) });
  machine.runTask(
    () =>
      program(function* (fn) {
        machine.bootCpu.callFunction(() => {
          fn();
          return DONE;
        });
        yield* preemptPoint();
      }),
    'oracle',
  );
  return { log };
}

/** Two locks of one class: made at one place, as in a loop. */
function twins<T>(make: () => T): [T, T] {
  const [a, b] = Array.from({ length: 2 }, make);
  if (a === undefined || b === undefined) throw new Error('two');
  return [a, b];
}

describe('lockdep says what Linux said', () => {
  it('76a: a lock taken in a hard interrupt is taken in a task with interrupts on', () => {
    const LA = new Spinlock('LA');
    const { log } = run(function* (hard) {
      yield* hard(() => {
        spinLock(LA);
        spinUnlock(LA);
      });
      yield* spinLock(LA);
      spinUnlock(LA);
    });
    expect(said(log)).toEqual(recorded('76a-lockdep-hardirq-safe-then-unsafe'));
  });

  it('76b: the other way round', () => {
    const LA = new Spinlock('LA');
    const { log } = run(function* (hard) {
      yield* spinLock(LA);
      spinUnlock(LA);
      yield* hard(() => {
        spinLock(LA);
        spinUnlock(LA);
      });
    });
    expect(said(log)).toEqual(recorded('76b-lockdep-unsafe-then-hardirq'));
  });

  it('76d: two mutexes of one class inside each other', () => {
    const [m0, m1] = twins(() => new Mutex('&m[i]'));
    const { log } = run(function* () {
      yield* mutexLock(m0);
      yield* mutexLock(m1);
      mutexUnlock(m1);
      mutexUnlock(m0);
    });
    expect(said(log)).toEqual(recorded('76d-lockdep-recursive-mutex'));
  });

  it('76e: two spinlocks of one class inside each other', () => {
    const [s0, s1] = twins(() => new Spinlock('&s[i]'));
    const { log } = run(function* () {
      yield* spinLock(s0);
      yield* spinLock(s1);
      spinUnlock(s1);
      spinUnlock(s0);
    });
    expect(said(log)).toEqual(recorded('76e-lockdep-recursive-spin'));
  });

  it('76f: two mutexes in one order, then in the other', () => {
    const [MA, MB] = [new Mutex('MA'), new Mutex('MB')];
    const { log } = run(function* () {
      yield* mutexLock(MA);
      yield* mutexLock(MB);
      mutexUnlock(MB);
      mutexUnlock(MA);
      yield* mutexLock(MB);
      yield* mutexLock(MA);
      mutexUnlock(MA);
      mutexUnlock(MB);
    });
    expect(said(log)).toEqual(recorded('76f-lockdep-abba-mutex'));
  });

  it('76h: a lock of interrupts around one that is held with interrupts on', () => {
    const [LA, LB] = [new Spinlock('LA'), new Spinlock('LB')];
    const { log } = run(function* (hard) {
      yield* spinLock(LA);
      spinUnlock(LA);
      yield* hard(() => {
        spinLock(LB);
        spinUnlock(LB);
      });
      const flags = yield* spinLockIrqsave(LB);
      yield* spinLock(LA);
      spinUnlock(LA);
      spinUnlockIrqrestore(LB, flags);
    });
    expect(said(log)).toEqual(recorded('76h-lockdep-irq-dependency'));
  });

  it('76i: a mutex inside a spinlock', () => {
    const LA = new Spinlock('LA');
    const MA = new Mutex('MA');
    const { log } = run(function* () {
      yield* spinLock(LA);
      yield* mutexLock(MA);
      mutexUnlock(MA);
      spinUnlock(LA);
    });
    expect(said(log)).toEqual(recorded('76i-lockdep-mutex-in-spin'));
  });

  it('76j: an unlock of what is not locked', () => {
    const LA = new Spinlock('LA');
    const log: string[] = [];
    const machine = new Machine({ printk: (_level, text) => log.push(text) });
    machine.spawn('oracle', () => spinUnlock(LA));
    expect(said(log.slice(0, 1))).toEqual(recorded('76j-lockdep-unlock-balance'));
  });

  it('76l: a task that ends with a lock', () => {
    const MB = new Mutex('MB');
    const log: string[] = [];
    const machine = new Machine({ printk: (_level, text) => log.push(text) });
    machine.spawn('other', function* () {
      yield* mutexLock(MB);
    });
    machine.advance(1_000_000);
    expect(said(log)).toEqual(recorded('76l-exit-with-lock-held'));
  });
});

describe('locks are named where something else is wrong', () => {
  it('77a: a call that may sleep under a spinlock', () => {
    const LA = new Spinlock('LA');
    const { log } = run(function* () {
      yield* spinLock(LA);
      mightSleep('msleep');
      spinUnlock(LA);
    });
    expect(said(log)).toEqual(recorded('77a-sleep-spinlock.lockdep'));
  });

  it('78b: a sleep under a spinlock', () => {
    const LA = new Spinlock('LA');
    const log: string[] = [];
    const machine = new Machine({ printk: (_level, text) => log.push(text) });
    machine.spawn('oracle', function* () {
      yield* spinLock(LA);
      current().state = TASK_UNINTERRUPTIBLE;
      yield* schedule();
    });
    expect(said(log)).toEqual(recorded('78b-sched-atomic-spinlock.lockdep'));
  });

  it('77c: a mutex with interrupts off', () => {
    const MA = new Mutex('MA');
    const { log } = run(function* () {
      localIrqDisable();
      yield* mutexLock(MA);
      mutexUnlock(MA);
      localIrqEnable();
    });
    expect(said(log)).toEqual(recorded('77c-sleep-irqs-off.lockdep'));
  });

  it('77e: a mutex in a hard interrupt', () => {
    const MA = new Mutex('MA');
    const log: string[] = [];
    const machine = new Machine({ printk: (_level, text) => log.push(text) });
    machine.runTask(function* () {
      const { bootCpu } = machine;
      preemptDisable();
      bootCpu.callFunction(() =>
        bootCpu.suspend(
          (function* () {
            yield* mutexLock(MA);
            mutexUnlock(MA);
          })(),
          () => DONE,
        ),
      );
      yield* preemptPoint();
      preemptEnable();
    }, 'oracle');
    expect(mutexIsLocked(MA)).toBe(false);
    expect(said(log)).toEqual(recorded('77e-sleep-hardirq.lockdep'));
  });
});

describe('a report points into the user’s code', () => {
  it('with the place of the lock, and of the one before', () => {
    const LA = new Spinlock('LA');
    const { log } = run(function* (hard) {
      yield* hard(function inHandler() {
        spinLock(LA);
        spinUnlock(LA);
      });
      yield* spinLock(LA);
      spinUnlock(LA);
    });
    const text = log.join('\n');
    expect(text).toMatch(/-\{2:2\}, at: .*lockdep\.spec\.ts:\d+:\d+\)?$/m);
    expect(text).toMatch(/state was registered at:\n {2}inHandler \(.*lockdep\.spec\.ts:\d+:\d+\)$/m);
    expect(text).toMatch(/stack backtrace:\n.*lockdep\.spec\.ts/);
    expect(text).not.toMatch(/locking\/spin/);
  });

  it('with the place of an await too', async () => {
    const [MA, MB] = [new Mutex('MA'), new Mutex('MB')];
    const log: string[] = [];
    const machine = new Machine({ printk: (_level, text) => log.push(text) });
    const done = machine.call(async function awaits() {
      await mutexLock(MA);
      await mutexLock(MB);
      mutexUnlock(MB);
      mutexUnlock(MA);
      await mutexLock(MB);
      await mutexLock(MA);
      mutexUnlock(MA);
      mutexUnlock(MB);
    });
    await machine.advanceAsync(1_000);
    await done;
    expect(log).toHaveLength(1);
    expect(log[0]).toContain('possible circular locking dependency');
    expect(log[0]).toMatch(/\(MA\)\{\+\.\+\.\}-\{3:3\}, at: awaits \(.*lockdep\.spec\.ts/);
  });
});

describe('lockdep', () => {
  it('is silent after its first report, and so is the rest of the debugging of locks', () => {
    const LA = new Spinlock('LA');
    const LB = new Spinlock('LB');
    const { log } = run(function* (hard) {
      for (const lock of [LA, LB]) {
        yield* hard(() => {
          spinLock(lock);
          spinUnlock(lock);
        });
        yield* spinLock(lock);
        spinUnlock(lock);
      }
    });
    expect(log).toHaveLength(1);
  });

  it('is content with subclasses, with trylocks, and with interrupts off where they must be', () => {
    const [m0, m1] = twins(() => new Mutex('&m[i]'));
    const [s0, s1] = twins(() => new Spinlock('&s[i]'));
    const LA = new Spinlock('LA');
    const { log } = run(function* (hard) {
      yield* mutexLock(m0);
      yield* mutexLockNested(m1, 1);
      mutexUnlock(m0);
      mutexUnlock(m1);
      yield* mutexLock(m1);
      expect(mutexTrylock(m0)).toBe(true);
      mutexUnlock(m0);
      mutexUnlock(m1);
      yield* spinLock(s0);
      yield* spinLockNested(s1, 1);
      spinUnlock(s1);
      spinUnlock(s0);
      yield* hard(() => {
        spinLock(LA);
        spinUnlock(LA);
      });
      yield* spinLockIrq(LA);
      spinUnlockIrq(LA);
    });
    expect(log).toEqual([]);
  });

  it('finds a circle of three, and says what lies between', () => {
    const [A, B, C] = [new Mutex('A'), new Mutex('B'), new Mutex('C')];
    const { log } = run(function* () {
      for (const [first, second] of [
        [A, B],
        [B, C],
        [C, A],
      ] as const) {
        yield* mutexLock(first);
        yield* mutexLock(second);
        mutexUnlock(second);
        mutexUnlock(first);
      }
    });
    const text = said(log).join('\n');
    expect(text).toContain('Chain exists of:\n  A --> B --> C\n\n Possible unsafe locking scenario:');
    expect(text).toContain('-> #2 (C){+.+.}-{3:3}:\n\n-> #1 (B){+.+.}-{3:3}:\n\n-> #0 (A){+.+.}-{3:3}:\n');
  });

  it('sees a lock become unsafe when interrupts are enabled inside it', () => {
    const LA = new Spinlock('LA');
    const { log } = run(function* (hard) {
      yield* hard(() => {
        spinLock(LA);
        spinUnlock(LA);
      });
      yield* spinLockIrq(LA);
      localIrqEnable();
      spinUnlock(LA);
    });
    expect(said(log)).toContain('inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage.');
  });

  it('sees a lock of softirqs taken with softirqs on, or become so when they are enabled inside it', () => {
    const report = (program: (lock: Spinlock) => Coroutine): string[] => {
      const lock = new Spinlock('LA');
      const { log } = run(function* () {
        openSoftirq(NET_RX_SOFTIRQ, () => {
          spinLock(lock);
          spinUnlock(lock);
        });
        localBhDisable();
        raiseSoftirq(NET_RX_SOFTIRQ);
        localBhEnable();
        yield* preemptPoint();
        yield* program(lock);
      });
      return said(log);
    };
    const plain = report(function* (lock) {
      yield* spinLock(lock);
      spinUnlock(lock);
    });
    expect(plain).toContain('inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage.');
    expect(plain).toContain('oracle/P [HC0[0]:SC0[0]:HE1:SE1] takes:');
    const enabledInside = report(function* (lock) {
      yield* spinLockBh(lock);
      localBhEnable();
      spinUnlock(lock);
    });
    expect(enabledInside).toContain('inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage.');
    const right = report(function* (lock) {
      yield* spinLockBh(lock);
      spinUnlockBh(lock);
    });
    expect(right).toEqual([]);
  });

  it('sees an inversion when a lock that took an unsafe one is taken in an interrupt', () => {
    const [LA, LB] = [new Spinlock('LA'), new Spinlock('LB')];
    const { log } = run(function* (hard) {
      yield* spinLock(LA);
      spinUnlock(LA);
      const flags = yield* spinLockIrqsave(LB);
      yield* spinLock(LA);
      spinUnlock(LA);
      spinUnlockIrqrestore(LB, flags);
      yield* hard(() => {
        spinLock(LB);
        spinUnlock(LB);
      });
    });
    const lines = said(log);
    expect(lines[2]).toBe('WARNING: possible irq lock inversion dependency detected');
    expect(lines).toContain('but this lock took another, HARDIRQ-unsafe lock in the past:');
    expect(lines).toContain(' (LA){+.+.}-{2:2}');
  });

  it('lets readers share, and holds writers against them', () => {
    const [A, B] = [new Rwlock('A'), new Rwlock('B')];
    const { log } = run(function* (hard) {
      yield* readLock(A);
      yield* readLock(B);
      readUnlock(B);
      readUnlock(A);
      yield* hard(() => {
        readLock(A);
        readUnlock(A);
      });
      yield* writeLock(A);
      writeUnlock(A);
    });
    expect(said(log)).toContain('inconsistent {IN-HARDIRQ-R} -> {HARDIRQ-ON-W} usage.');
  });

  it('knows the classes of a lock from its first taking in each subclass, on each machine', () => {
    const LA = new Spinlock('LA');
    const taken = () => {
      new Machine().runTask(function* () {
        for (const subclass of [0, 1, 1]) {
          yield* spinLockNested(LA, subclass);
          spinUnlock(LA);
        }
      });
      return [...LA.core.map.classes];
    };
    const first = taken();
    expect(first.map((cls) => cls?.name)).toEqual(['LA', 'LA/1']);
    const second = taken();
    expect(second.map((cls) => cls?.name)).toEqual(['LA', 'LA/1']);
    expect(second[0]).not.toBe(first[0]);
  });

  it('can be left out', () => {
    const LA = new Spinlock('LA');
    const machine = new Machine({ lockdep: false });
    machine.runTask(function* () {
      yield* spinLock(LA);
      spinUnlock(LA);
    });
    expect(LA.core.map.classes).toEqual([]);
  });
});
