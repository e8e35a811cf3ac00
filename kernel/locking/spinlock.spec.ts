import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { MachineOptions } from '../machine-options.js';
import { localIrqDisable, localIrqEnable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { context, irqsDisabled, preemptCount, smpProcessorId } from '../sched/current.js';
import { NET_RX_SOFTIRQ, openSoftirq, raiseSoftirq } from '../softirq/softirq.js';
import { msleep, ndelay, udelay } from '../time/delay.js';
import { Mutex, mutexLock } from './mutex.js';
import { Rwlock, readLock, readUnlock, writeLock, writeTrylock, writeUnlock } from './rwlock.js';
import {
  Spinlock,
  spinIsContended,
  spinIsLocked,
  spinLock,
  spinLockBh,
  spinLockIrq,
  spinLockIrqsave,
  spinTrylock,
  spinTrylockIrqsave,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrq,
  spinUnlockIrqrestore,
} from './spinlock.js';

function rig(options: MachineOptions = {}) {
  const log: string[] = [];
  const machine = new Machine({ printk: (_level, text) => log.push(text), ...options });
  return { log, machine };
}

/** `[preempt, softirq, irqs off]`, as the recordings have them. */
function state(): [number, number, number] {
  const count = preemptCount();
  return [count & 0xff, (count >> 8) & 0xff, irqsDisabled() ? 1 : 0];
}

describe('spinlock variants in a task', () => {
  it('count and disable as recording 73 has it', () => {
    const a = new Spinlock('S1');
    const b = new Spinlock('S2');
    const seen: unknown[] = [];
    const note = (what: string): void => void seen.push([what, ...state()]);
    const { machine } = rig({ lockdep: false });
    machine.runTask(function* () {
      yield* spinLock(a);
      note('spin_lock');
      yield* spinLock(b);
      note('spin_lock x2');
      spinUnlock(b);
      spinUnlock(a);
      note('unlocked');
      yield* spinLockBh(a);
      note('spin_lock_bh');
      yield* spinLockBh(b);
      note('spin_lock_bh x2');
      spinUnlockBh(b);
      spinUnlockBh(a);
      yield* spinLockIrq(a);
      note('spin_lock_irq');
      spinUnlockIrq(a);
      const outer = yield* spinLockIrqsave(a);
      const inner = yield* spinLockIrqsave(b);
      note('spin_lock_irqsave x2');
      spinUnlockIrqrestore(b, inner);
      note('inner restored');
      spinUnlockIrqrestore(a, outer);
      note('outer restored');
      seen.push(['saved', outer, inner]);
      const flags = yield* spinLockIrqsave(a);
      yield* spinLockIrq(b);
      spinUnlockIrq(b);
      note('after nested spin_unlock_irq');
      spinUnlockIrqrestore(a, flags);
      seen.push(spinTrylock(a), spinIsLocked(a), spinTrylock(a), preemptCount());
      spinUnlock(a);
      const tried = spinTrylockIrqsave(a) ?? false;
      note('spin_trylock_irqsave');
      spinUnlockIrqrestore(a, tried);
      note('end');
    });
    expect(seen).toEqual([
      ['spin_lock', 1, 0, 0],
      ['spin_lock x2', 2, 0, 0],
      ['unlocked', 0, 0, 0],
      ['spin_lock_bh', 1, 2, 0],
      ['spin_lock_bh x2', 2, 4, 0],
      ['spin_lock_irq', 1, 0, 1],
      ['spin_lock_irqsave x2', 2, 0, 1],
      ['inner restored', 1, 0, 1],
      ['outer restored', 0, 0, 0],
      ['saved', true, false],
      ['after nested spin_unlock_irq', 1, 0, 0],
      true,
      true,
      false,
      1,
      ['spin_trylock_irqsave', 1, 0, 1],
      ['end', 0, 0, 0],
    ]);
  });

  it('count in a hard interrupt and in a softirq as recording 73 has it', () => {
    const lock = new Spinlock('S1');
    const seen: unknown[] = [];
    const note = (what: string): void => void seen.push([what, ...state(), context()]);
    const { machine } = rig({ lockdep: false });
    machine.runTask(function* () {
      machine.bootCpu.callFunction(() => {
        spinLock(lock);
        note('hardirq spin_lock');
        spinUnlock(lock);
        const flags = spinLockIrqsave(lock);
        note('hardirq irqsave');
        spinUnlockIrqrestore(lock, flags);
        note('hardirq restored');
        return 0;
      });
      yield* preemptPoint();
      openSoftirq(NET_RX_SOFTIRQ, () => {
        spinLock(lock);
        note('softirq spin_lock');
        spinUnlock(lock);
        spinLockBh(lock);
        note('softirq spin_lock_bh');
        spinUnlockBh(lock);
        note('softirq after');
        const flags = spinLockIrqsave(lock);
        note('softirq irqsave');
        spinUnlockIrqrestore(lock, flags);
        spinLockIrq(lock);
        spinUnlockIrq(lock);
        note('softirq end');
      });
      raiseSoftirq(NET_RX_SOFTIRQ);
      yield* msleep(10);
    });
    expect(seen).toEqual([
      ['hardirq spin_lock', 1, 0, 1, 'hardirq'],
      ['hardirq irqsave', 1, 0, 1, 'hardirq'],
      ['hardirq restored', 0, 0, 1, 'hardirq'],
      ['softirq spin_lock', 1, 1, 0, 'softirq'],
      ['softirq spin_lock_bh', 1, 3, 0, 'softirq'],
      ['softirq after', 0, 1, 0, 'softirq'],
      ['softirq irqsave', 1, 1, 1, 'softirq'],
      ['softirq end', 0, 1, 0, 'softirq'],
    ]);
  });

  it('gives flags to plain functions from the call itself', () => {
    const lock = new Spinlock('plain');
    const { machine } = rig();
    machine.runTask(() => {
      const flags = spinLockIrqsave(lock);
      expect(state()).toEqual([1, 0, 1]);
      spinUnlockIrqrestore(lock, flags);
      expect(state()).toEqual([0, 0, 0]);
      localIrqDisable();
      const off = spinLockIrqsave(lock);
      spinUnlockIrqrestore(lock, off);
      expect(state()).toEqual([0, 0, 1]);
      localIrqEnable();
    });
  });

  it('keeps preemption off inside, and lets a woken task of higher priority in behind the unlock', () => {
    const lock = new Spinlock('order');
    const order: string[] = [];
    const { machine } = rig();
    machine.runTask(function* () {
      yield* spinLock(lock);
      machine.spawn('high', () => order.push('high'), { rtPriority: 50 });
      yield* preemptPoint();
      order.push('inside');
      spinUnlock(lock);
      yield* preemptPoint();
      order.push('after');
    });
    expect(order).toEqual(['inside', 'high', 'after']);
  });
});

describe('a contended spinlock', () => {
  it('lets the other CPU spin in virtual time, with interrupts coming in', () => {
    const lock = new Spinlock('shared');
    const { machine } = rig({ cpus: 2 });
    const order: string[] = [];
    const at = (what: string): void => void order.push(`${machine.clock.now() / 1000} CPU${smpProcessorId()} ${what}`);
    machine.spawn(
      'a',
      function* () {
        yield* spinLock(lock);
        yield* udelay(100);
        at('a unlocks');
        spinUnlock(lock);
      },
      { cpusAllowed: 1 },
    );
    machine.spawn(
      'b',
      function* () {
        yield* udelay(10);
        at('b asks');
        yield* spinLock(lock);
        at('b has it');
        spinUnlock(lock);
      },
      { cpusAllowed: 2 },
    );
    machine.advance(50_000);
    expect(spinIsContended(lock)).toBe(true);
    machine.cpus[1]?.callFunction(() => {
      at('interrupt');
      return 0;
    });
    machine.advance(1_000_000);
    expect(order).toEqual(['10 CPU1 b asks', '50 CPU1 interrupt', '100 CPU0 a unlocks', '100 CPU1 b has it']);
    expect(machine.cpus.map((cpu) => cpu.preemptCount)).toEqual([1, 1]);
  });

  it('is a clear error in a plain function, which changes nothing', () => {
    const lock = new Spinlock('shared');
    const { machine } = rig({ cpus: 2 });
    machine.spawn(
      'a',
      function* () {
        yield* spinLockIrq(lock);
        yield* udelay(100);
        spinUnlockIrq(lock);
      },
      { cpusAllowed: 1 },
    );
    const errors: unknown[] = [];
    machine.cpus[1]?.callFunction(() => {
      try {
        spinLock(lock);
      } catch (error) {
        errors.push(error, preemptCount());
      }
      return 0;
    });
    machine.advance(1_000_000);
    expect(errors).toMatchObject([{ code: 'EAGAIN', message: 'spinlock shared is held by CPU#0 (a/2)' }, 0x1_0001]);
    expect(spinIsLocked(lock)).toBe(false);
  });

  it('is an error for a task that forgets the star, at its next locking call or when it is suspended', () => {
    for (const body of [
      (lock: Spinlock) => {
        spinLock(lock);
        spinUnlock(lock);
      },
      (lock: Spinlock) => void spinLock(lock),
    ]) {
      const lock = new Spinlock('shared');
      const { machine } = rig({ cpus: 2 });
      machine.spawn(
        'a',
        function* () {
          yield* spinLock(lock);
          yield* udelay(100);
          spinUnlock(lock);
        },
        { cpusAllowed: 1 },
      );
      const task = machine.spawn(
        'b',
        function* () {
          yield* udelay(10);
          body(lock);
          yield* udelay(10);
        },
        { cpusAllowed: 2 },
      );
      machine.advance(1_000_000);
      expect(task.exitError).toMatchObject({ code: 'EAGAIN' });
      expect(spinIsLocked(lock)).toBe(false);
    }
  });

  it('is left by a task that forgets the star and throws, and nobody else is blamed for it', () => {
    const lock = new Spinlock('shared');
    const { machine } = rig({ cpus: 2 });
    machine.spawn(
      'a',
      function* () {
        yield* spinLock(lock);
        yield* udelay(100);
        spinUnlock(lock);
      },
      { cpusAllowed: 1 },
    );
    const thrown = new Error('of its own');
    const b = machine.spawn(
      'b',
      function* () {
        yield* udelay(10);
        spinLock(lock);
        throw thrown;
      },
      { cpusAllowed: 2 },
    );
    const c = machine.spawn(
      'c',
      function* () {
        yield* udelay(20);
        return 'done';
      },
      { cpusAllowed: 2 },
    );
    machine.advance(1_000_000);
    expect(b.exitError).toBe(thrown);
    expect([c.exitError, c.exitValue]).toEqual([undefined, 'done']);
    expect(spinIsLocked(lock)).toBe(false);
  });
});

describe('a spinlock that would never be free', () => {
  it('taken in a handler while the interrupted task has it ends as a report', () => {
    const lock = new Spinlock('LA');
    const { machine, log } = rig({ lockdep: false });
    const errors: unknown[] = [];
    machine.runTask(function* () {
      yield* spinLock(lock);
      machine.bootCpu.callFunction(() => {
        try {
          spinLock(lock);
        } catch (error) {
          errors.push(error);
        }
        return 0;
      });
      yield* preemptPoint();
      spinUnlock(lock);
    }, 'oracle');
    expect(errors).toMatchObject([{ code: 'EDEADLK' }]);
    expect(log[0]?.split('\n').slice(0, 2)).toEqual([
      'BUG: spinlock recursion on CPU#0, oracle/2',
      ' lock: LA, .magic: dead4ead, .owner: oracle/2, .owner_cpu: 0',
    ]);
    expect(log[0]).toContain('spinlock.spec.ts');
  });

  it('two CPUs that spin for each other end as a report that says who waits for whom', () => {
    const [a, b] = [new Spinlock('A'), new Spinlock('B')];
    const { machine, log } = rig({ cpus: 2, lockdep: false });
    const both = (first: Spinlock, second: Spinlock) =>
      function* (): Coroutine<void> {
        yield* spinLock(first);
        yield* udelay(10);
        yield* spinLock(second);
      };
    const one = machine.spawn('one', both(a, b), { cpusAllowed: 1 });
    const two = machine.spawn('two', both(b, a), { cpusAllowed: 2 });
    machine.advance(1_000_000);
    expect(one.exited).toBe(false);
    expect(two.exitError).toMatchObject({ code: 'EDEADLK' });
    expect(log[0]?.split('\n').slice(0, 3)).toEqual([
      'BUG: spinlock lockup on CPU#1, two/3',
      ' CPU#1 (two/3) spins for spinlock A, held by CPU#0 (one/2)',
      ' CPU#0 (one/2) spins for spinlock B, held by CPU#1 (two/3)',
    ]);
    machine.advance(30_000_000_000);
    expect(log.some((text) => text.startsWith('watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [one:2]'))).toBe(true);
  });

  it('held by a task that has ended is said to be, when nothing is left that could move', () => {
    const lock = new Spinlock('LA');
    const { machine, log } = rig({ cpus: 2, lockdep: false });
    machine.spawn('gone', () => void spinLock(lock), { cpusAllowed: 1 });
    machine.advance(1000);
    expect(() =>
      machine.runTask(function* () {
        yield* udelay(1);
        machine.spawn(
          'spinner',
          function* () {
            yield* spinLock(lock);
          },
          { cpusAllowed: 2 },
        );
        yield* msleep(10);
        const stuck = new Mutex('stuck');
        yield* mutexLock(stuck);
        yield* mutexLock(stuck);
      }),
    ).toThrow(/ spinner\/\d+ \(R\) waits for spinlock LA, held by gone\/2, which has ended/);
    expect(log.some((text) => text.startsWith('watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [spinner:'))).toBe(
      true,
    );
  });

  it('unlocked by who does not hold it is reported', () => {
    const lock = new Spinlock('LA');
    const { machine, log } = rig({ lockdep: false });
    machine.runTask(() => spinUnlock(lock), 'oracle');
    expect(log[0]?.split('\n').slice(0, 2)).toEqual([
      'BUG: spinlock already unlocked on CPU#0, oracle/2',
      ' lock: LA, .magic: dead4ead, .owner: <none>/-1, .owner_cpu: -1',
    ]);
  });
});

describe('rwlock', () => {
  it('is shared by readers, and a writer that waits comes before readers that come later', () => {
    const lock = new Rwlock('table');
    const { machine } = rig({ cpus: 4 });
    const order: string[] = [];
    const on = (cpu: number, after: number, body: () => Coroutine): void => {
      machine.spawn(
        `t${cpu}`,
        function* () {
          yield* udelay(after);
          yield* body();
        },
        { cpusAllowed: 1 << cpu },
      );
    };
    const reader = (name: string) =>
      function* (): Coroutine<void> {
        yield* readLock(lock);
        order.push(`${name} in`);
        yield* udelay(50);
        order.push(`${name} out`);
        readUnlock(lock);
      };
    on(0, 1, reader('r0'));
    on(1, 2, reader('r1'));
    on(2, 10, function* () {
      expect(writeTrylock(lock)).toBe(false);
      yield* writeLock(lock);
      order.push('w in');
      yield* udelay(50);
      order.push('w out');
      writeUnlock(lock);
    });
    on(3, 20, reader('r3'));
    machine.advance(1_000_000);
    expect(order).toEqual(['r0 in', 'r1 in', 'r0 out', 'r1 out', 'w in', 'w out', 'r3 in', 'r3 out']);
  });
});

describe('mutual exclusion', () => {
  it('holds for random programs on several CPUs, and everybody gets the lock in the order of asking', () => {
    const step = fc.record({ before: fc.integer({ min: 0, max: 300 }), inside: fc.integer({ min: 0, max: 300 }) });
    const programs = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(programs, (tasks) => {
        const lock = new Spinlock('property');
        const { machine, log } = rig({ cpus: 4 });
        const asked: string[] = [];
        const got: string[] = [];
        let inside = 0;
        const spawned = tasks.map((steps, id) =>
          machine.spawn(
            `t${id}`,
            function* () {
              for (const [n, { before, inside: ns }] of steps.entries()) {
                yield* ndelay(before);
                asked.push(`${id}.${n}`);
                yield* spinLock(lock);
                got.push(`${id}.${n}`);
                expect(++inside).toBe(1);
                yield* ndelay(ns);
                inside--;
                spinUnlock(lock);
              }
            },
            { cpusAllowed: 1 << id },
          ),
        );
        machine.advance(1_000_000);
        expect(spawned.every((task) => task.exited && task.exitError === undefined)).toBe(true);
        expect(got).toEqual(asked);
        expect(log).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
