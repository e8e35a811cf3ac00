import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { Coroutine } from '../sched/coroutine.js';
import { mdelay, msleep } from '../time/delay.js';
import { cancelWork, cancelWorkSync, enableAndQueueWork } from './cancel.js';
import { DelayedWork, queueDelayedWork } from './delayed.js';
import { destroyWorkqueue, drainWorkqueue } from './drain.js';
import { WORK_NR_COLORS, WQ_BH, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { flushScheduledWork, flushWorkqueue } from './flush-workqueue.js';
import { queueWork } from './queue.js';
import { Work } from './work.js';
import { allocOrderedWorkqueue, allocWorkqueue } from './workqueue.js';

function rig(cpus = 1) {
  const printed: string[] = [];
  const log: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const item = (name: string, ms = 0): Work =>
    new Work(function* () {
      log.push(`${name} begins`);
      if (ms > 0) yield* msleep(ms);
      log.push(`${name} ends`);
    }, name);
  return { machine, printed, log, item };
}

describe('flushWork', () => {
  it('waits behind an item that waits for its place, also when the item is cancelled', () => {
    const { machine, log, item } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('one', 0, 1);
      const [first, second] = [item('first', 20), item('second', 20)];
      queueWork(wq, first);
      queueWork(wq, second);
      const flushes = ['a', 'b'].map((name) =>
        machine.spawn(name, function* () {
          log.push(`${name} ${yield* flushWork(second)}`);
        }),
      );
      yield* msleep(1);
      expect(cancelWork(second)).toBe(true);
      yield* msleep(60);
      expect(flushes.every(({ exited }) => exited)).toBe(true);
    });
    // The barrier that came last stands first behind the item.
    expect(log).toEqual(['first begins', 'first ends', 'b true', 'a true']);
  });

  it('does not wait for what is queued behind it', () => {
    const { machine, log, item } = rig();
    machine.runTask(function* () {
      const wq = allocOrderedWorkqueue('one', 0);
      const [a, b] = [item('a', 4), item('b', 4)];
      queueWork(wq, a);
      queueWork(wq, b);
      yield* flushWork(a);
      log.push('flushed');
      yield* flushWork(b);
    });
    expect(log.filter((entry) => entry !== 'b begins')).toEqual(['a begins', 'a ends', 'flushed', 'b ends']);
  });
});

describe('flushWorkqueue', () => {
  it.each([1, 3])(
    'of many tasks at once, more than there are colours: each waits for its own items only (%d rounds)',
    (rounds) => {
      const { machine } = rig(2);
      const wq = allocOrderedWorkqueue('flushed', 0);
      const done: number[] = [];
      const wrong: string[] = [];
      const flushers = 2 * WORK_NR_COLORS + 3;
      machine.runTask(function* () {
        for (let round = 0; round < rounds; round++) {
          const from = done.length;
          for (let i = 0; i < flushers; i++) {
            queueWork(
              wq,
              new Work(function* () {
                yield* msleep(4);
                done.push(i);
              }),
            );
            machine.spawn(`flush${i}`, function* () {
              yield* flushWorkqueue(wq);
              if (done.length - from <= i) wrong.push(`${i} is back before its items are done`);
              // Beyond the colours several share one: they wait for one another's items.
              if (i < WORK_NR_COLORS - 2 && done.length - from > i + 2)
                wrong.push(`${i} is back late, at ${done.length - from}`);
            });
            yield* msleep(1);
          }
          yield* flushWorkqueue(wq);
          yield* msleep(50);
        }
      });
      expect(wrong).toEqual([]);
      expect(done).toHaveLength(flushers * rounds);
    },
  );

  it('leaves out what is queued later, and items whose timer runs', () => {
    const { machine, log, item } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('q', WQ_UNBOUND, 0);
      queueWork(wq, item('a', 8));
      queueDelayedWork(wq, new DelayedWork(() => log.push('delayed')), 20);
      machine.spawn('late', function* () {
        yield* msleep(1);
        queueWork(wq, item('late', 40));
      });
      yield* flushWorkqueue(wq);
      log.push('flushed');
      yield* msleep(200);
    });
    expect(log).toEqual(['a begins', 'late begins', 'a ends', 'flushed', 'late ends', 'delayed']);
  });

  it('in one of its own items is EDEADLK', () => {
    const { machine, printed } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('own', 0, 0);
      const work = new Work(() => flushWorkqueue(wq));
      queueWork(wq, work);
      yield* flushWork(work);
    });
    expect(printed[0]).toMatch(/possible recursive locking detected[\s\S]*\(wq_completion\)own/);
    expect(printed[1]).toMatch(/KernelError: flush_workqueue\(\) of own in one of its own items/);
  });

  it('of a queue of the system says that this will be prohibited', () => {
    const { machine, printed } = rig();
    machine.runTask(() => flushScheduledWork());
    expect(printed[0]).toBe('warning: WARNING: Flushing system-wide workqueues will be prohibited in near future.');
    expect(printed).toHaveLength(2);
  });

  it('waits for softirq items too', () => {
    const { machine, log } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('bh', WQ_BH, 0);
      queueWork(wq, new Work(() => log.push('ran')));
      yield* flushWorkqueue(wq);
      log.push('flushed');
      expect(yield* cancelWorkSync(new Work(() => {}))).toBe(false);
    });
    expect(log).toEqual(['ran', 'flushed']);
  });
});

describe('cancelWorkSync', () => {
  it('catches an item that queues itself', () => {
    const { machine } = rig();
    let runs = 0;
    machine.runTask(function* () {
      const wq = allocWorkqueue('self', 0, 0);
      const work: Work = new Work(function* () {
        runs++;
        queueWork(wq, work);
        yield* msleep(20);
      });
      queueWork(wq, work);
      yield* msleep(2);
      expect(yield* cancelWorkSync(work)).toBe(true);
      yield* msleep(100);
      expect(runs).toBe(1);
      expect(enableAndQueueWork(wq, new Work(() => {}))).toBe(true);
    });
  });

  it('waits, busy, for a softirq item that runs on another CPU', () => {
    const { machine, log } = rig(2);
    const work = new Work(function* (): Coroutine<void> {
      log.push('begins');
      yield* mdelay(3);
      log.push('ends');
    });
    machine.runTask(function* () {
      const wq = allocWorkqueue('bh', WQ_BH, 0);
      machine.cpus[1]?.callFunction(() => {
        queueWork(wq, work);
        return 0;
      });
      yield* mdelay(1);
      expect(yield* cancelWorkSync(work)).toBe(false);
      log.push('cancelled');
    });
    expect(log).toEqual(['begins', 'ends', 'cancelled']);
  });

  it('in the own function of an item is EDEADLK', () => {
    const { machine, printed } = rig();
    machine.runTask(function* () {
      const work: Work = new Work(() => cancelWorkSync(work) as unknown as Coroutine<void>, 'self');
      queueWork(allocWorkqueue('own', 0, 0), work);
      yield* msleep(1);
    });
    expect(printed[0]).toMatch(/possible recursive locking detected[\s\S]*\(work_completion\)\(&self\)/);
    expect(printed[1]).toMatch(/KernelError: cancel_work_sync\(\) of self in its own function/);
  });
});

describe('drainWorkqueue', () => {
  it('waits for what its items queue, lets nobody else in, and says so when it takes long', () => {
    const { machine, printed } = rig();
    let left = 12;
    machine.runTask(function* () {
      const wq = allocWorkqueue('chain', 0, 1);
      const chain: Work = new Work(function* () {
        yield* msleep(4);
        if (--left > 0) queueWork(wq, chain);
      });
      queueWork(wq, chain);
      machine.spawn('outsider', function* () {
        yield* msleep(4);
        queueWork(wq, new Work(() => {}));
      });
      yield* drainWorkqueue(wq);
      expect(left).toBe(0);
      expect(queueWork(wq, new Work(() => {}))).toBe(true);
      yield* flushWorkqueue(wq);
    });
    expect(printed[0]).toMatch(/WARNING: CPU: 0 .* __queue_work/);
    expect(printed[1]).toBe("warning: workqueue chain: drain_workqueue() isn't complete after 10 tries");
    expect(printed).toHaveLength(2);
  });
});

describe('destroyWorkqueue', () => {
  it.each([
    ['bound', 0],
    ['unbound', WQ_UNBOUND],
  ])('runs what is queued, and the queue takes nothing any more (%s)', (_, flags) => {
    const { machine, log, item, printed } = rig();
    machine.runTask(function* () {
      const wq = allocWorkqueue('gone', flags, 1);
      queueWork(wq, item('a', 4));
      queueWork(wq, item('b', 4));
      yield* destroyWorkqueue(wq);
      log.push('destroyed');
      const late = item('late');
      queueWork(wq, late);
      yield* msleep(20);
      expect(machine.workqueues.all.has(wq)).toBe(false);
      expect(() => cancelWork(late)).toThrow('being destroyed');
    });
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'destroyed']);
    expect(printed[0]).toMatch(/__queue_work/);
  });
});
