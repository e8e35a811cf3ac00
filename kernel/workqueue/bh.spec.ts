import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { context, current, smpProcessorId } from '../sched/current.js';
import { msleep, udelay } from '../time/delay.js';
import { cancelWork, cancelWorkSync } from './cancel.js';
import { WQ_BH, WQ_HIGHPRI, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { workBusy } from './info.js';
import { queueWork, queueWorkOn } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue, type Workqueue } from './workqueue.js';

function rig(cpus = 1) {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => printed.push(`${level}: ${text}`) });
  const work = (name: string): Work =>
    new Work(() => {
      log.push(`${name} ${context()} ${current().comm} cpu${smpProcessorId()}`);
    }, name);
  /** Queues from a hard interrupt. */
  const queue = (wq: Workqueue, cpu: number, ...works: Work[]): void => {
    machine.cpus[cpu]?.callFunction(() => {
      for (const item of works) queueWork(wq, item);
      return 0;
    });
  };
  return { log, printed, machine, work, queue, bh: allocWorkqueue('bh', WQ_BH, 0) };
}

describe('a WQ_BH queue', () => {
  it('runs its items in softirq context, on the CPU that queued them, in order', () => {
    const { log, work, queue, bh } = rig(2);
    queue(bh, 1, work('a'), work('b'));
    expect(log).toEqual(['a softirq swapper/1 cpu1', 'b softirq swapper/1 cpu1']);
  });

  it('runs those of WQ_HIGHPRI before the others, and all before tasklets of their softirq', () => {
    const { machine, log, work } = rig();
    const { systemBhWq, systemBhHighpriWq } = machine.workqueues;
    machine.bootCpu.callFunction(() => {
      queueWork(systemBhWq, work('normal'));
      queueWork(systemBhHighpriWq, work('high'));
      return 0;
    });
    expect(log.map((entry) => entry.split(' ')[0])).toEqual(['high', 'normal']);
  });

  it('runs an item that a task queued in ksoftirqd, and a flush waits for it', () => {
    const { machine, log, work, bh } = rig();
    const item = work('a');
    const flushed = machine.runTask(function* () {
      queueWork(bh, item);
      return yield* flushWork(item);
    });
    expect([flushed, log]).toEqual([true, ['a softirq ksoftirqd/0 cpu0']]);
  });

  it('runs an item again that was queued while it ran', () => {
    const { machine, bh } = rig();
    const states: number[] = [];
    const item: Work = new Work(function* () {
      yield* udelay(10);
      if (states.length === 0) queueWork(bh, item);
      states.push(workBusy(item));
    });
    machine.runTask(function* () {
      queueWork(bh, item);
      yield* msleep(10);
    });
    expect(states).toEqual([3, 2]);
  });

  it('reports an item that throws or sleeps, and goes on', () => {
    const { machine, log, printed, work, queue, bh } = rig();
    const throws = new Work(() => {
      throw new Error('no');
    }, 'throws');
    const sleeps = new Work(function* () {
      yield* msleep(5);
    }, 'sleeps');
    queue(bh, 0, throws, sleeps, work('next'));
    machine.advance(1_000_000);
    expect(printed[0]).toContain('exception in work throws of workqueue bh');
    expect(printed[1]).toContain('BUG: scheduling while atomic');
    expect(log).toEqual(['next softirq swapper/0 cpu0']);
  });

  it.each([
    [WQ_BH | WQ_UNBOUND, 0],
    [WQ_BH, 1],
  ])('with flags %d and max_active %d is refused', (flags, maxActive) => {
    expect(() => allocWorkqueue('wrong', flags, maxActive)).toThrow('WQ_BH goes with WQ_HIGHPRI only');
    expect(() => allocWorkqueue('right', WQ_BH | WQ_HIGHPRI, 0)).not.toThrow();
  });
});

describe('any program on WQ_BH queues', () => {
  it('runs each item once for each time it was taken, in order, on the CPU where it was queued', () => {
    const step = fc.record({
      item: fc.nat(4),
      cpu: fc.nat(1),
      us: fc.nat(30),
      kind: fc.constantFrom('queue', 'queue', 'queue', 'cancel', 'flush', 'cancelSync'),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.nat(40), { minLength: 5, maxLength: 5 }),
        (steps, lengths) => {
          const printed: string[] = [];
          const machine = new Machine({ cpus: 2, printk: (_, text) => printed.push(text) });
          const queues = [allocWorkqueue('low', WQ_BH, 0), allocWorkqueue('high', WQ_BH | WQ_HIGHPRI, 0)];
          const owed = [0, 0, 0, 0, 0];
          const runs = [0, 0, 0, 0, 0];
          const running = new Set<number>();
          const count = (list: number[], at: number, by: number): void => {
            list[at] = (list[at] ?? 0) + by;
          };
          // An item stays with one queue: on two it may run twice at once.
          const works = lengths.map(
            (us, i) =>
              new Work(function* () {
                if (running.has(i)) printed.push(`item ${i} runs twice at once`);
                running.add(i);
                count(runs, i, 1);
                yield* udelay(us);
                running.delete(i);
              }),
          );
          for (const { item, cpu, us, kind } of steps) {
            const work = works[item];
            const wq = queues[item % 2];
            if (work === undefined || wq === undefined) continue;
            if (kind === 'flush' || kind === 'cancelSync') {
              machine.spawn(kind, function* () {
                if (kind === 'cancelSync' && work.pending) count(owed, item, -1);
                yield* kind === 'flush' ? flushWork(work) : cancelWorkSync(work);
              });
            } else {
              machine.cpus[cpu]?.callFunction(() => {
                if (kind === 'queue' ? queueWorkOn(cpu, wq, work) : cancelWork(work))
                  count(owed, item, kind === 'queue' ? 1 : -1);
                return 0;
              });
            }
            machine.advance(us * 1_000);
          }
          machine.advance(100_000_000);
          expect([runs, printed]).toEqual([owed, []]);
        },
      ),
    );
  });

  it('hands over to ksoftirqd what queues itself for ever, ten items a softirq', () => {
    const { machine, queue, bh } = rig();
    const comms: string[] = [];
    const item: Work = new Work(() => {
      comms.push(current().comm);
      if (comms.length < 150) queueWork(bh, item);
    });
    queue(bh, 0, item);
    machine.advance(1_000_000);
    expect(comms.filter((comm) => comm === 'swapper/0')).toHaveLength(100);
    expect(comms.filter((comm) => comm === 'ksoftirqd/0')).toHaveLength(50);
  });
});
