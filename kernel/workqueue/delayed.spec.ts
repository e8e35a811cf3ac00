import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { smpProcessorId } from '../sched/current.js';
import { mdelay, msleep } from '../time/delay.js';
import { jiffiesOf } from '../time/jiffies.js';
import { TIMER_DEFERRABLE } from '../time/timer.js';
import { cancelDelayedWork, cancelDelayedWorkSync } from './cancel.js';
import {
  DelayedWork,
  flushDelayedWork,
  modDelayedWork,
  queueDelayedWork,
  scheduleDelayedWork,
  scheduleDelayedWorkOn,
  toDelayedWork,
} from './delayed.js';
import { Work } from './work.js';

const MS = 1_000_000;

describe('a delayed item', () => {
  it('that queues itself again runs every delay + 1 jiffies, and does not drift from that while it is quick', () => {
    const machine = new Machine({ hz: 250 });
    const runs: number[] = [];
    const work: DelayedWork = new DelayedWork(function* () {
      runs.push(jiffiesOf(machine));
      yield* mdelay(1);
      scheduleDelayedWork(work, 10);
    });
    machine.runTask(() => scheduleDelayedWork(work, 10));
    machine.advance(60_000 * MS);
    const gaps = runs.slice(1).map((at, i) => at - (runs[i] ?? 0));
    // 60 s are 15,000 jiffies. The timer of 10 jiffies rounds up to the next one, as the kernel's does.
    expect(new Set(gaps)).toEqual(new Set([11]));
    expect(runs).toHaveLength(Math.floor((15_000 - 1) / 11));
  });

  it('drifts by what it takes, if it takes longer than a jiffy', () => {
    const machine = new Machine({ hz: 250 });
    const runs: number[] = [];
    const work: DelayedWork = new DelayedWork(function* () {
      runs.push(jiffiesOf(machine));
      yield* mdelay(9);
      scheduleDelayedWork(work, 10);
    });
    machine.runTask(() => scheduleDelayedWork(work, 10));
    machine.advance(10_000 * MS);
    expect(new Set(runs.slice(1).map((at, i) => at - (runs[i] ?? 0)))).toEqual(new Set([13]));
  });

  it('that is deferrable does not wake an idle CPU, and runs at the next tick when it has something to do', () => {
    const machine = new Machine({ hz: 250 });
    const ran: number[] = [];
    const item = (): DelayedWork =>
      new DelayedWork(() => ran.push(machine.clock.now() / MS), 'deferred', TIMER_DEFERRABLE);
    const deferred = item();
    machine.runTask(() => scheduleDelayedWork(deferred, 2));
    machine.advance(1_000 * MS);
    expect([ran, deferred.pending]).toEqual([[], true]);
    machine.runTask(() => mdelay(7));
    machine.advance(1_000 * MS);
    expect(ran).toEqual([1_004]);
    machine.runTask(function* () {
      scheduleDelayedWork(item(), 2);
      yield* mdelay(30);
      scheduleDelayedWork(item(), 2);
      yield* msleep(40);
    });
    // In time while the CPU is busy; with another timer's tick while it is idle.
    expect(ran.slice(1).map((at) => at - (ran[1] ?? 0))).toEqual([0, expect.any(Number)]);
  });

  it('runs on the CPU that was asked for', () => {
    const machine = new Machine({ cpus: 3 });
    const cpus: number[] = [];
    machine.runTask(function* () {
      for (const cpu of [2, 1, 0]) {
        const work = new DelayedWork(() => cpus.push(smpProcessorId()));
        scheduleDelayedWorkOn(cpu, work, 2);
        expect(yield* flushDelayedWork(work)).toBe(true);
      }
      expect(() => scheduleDelayedWorkOn(3, new DelayedWork(() => {}), 2)).toThrow('no CPU 3');
    });
    expect(cpus).toEqual([2, 1, 0]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('takes no delay of %d', (delay) => {
    const machine = new Machine();
    machine.runTask(() => {
      const work = new DelayedWork(() => {});
      const { systemWq } = machine.workqueues;
      expect(() => queueDelayedWork(systemWq, work, delay)).toThrow(`a delay of ${delay} jiffies`);
      expect(() => modDelayedWork(systemWq, work, delay)).toThrow(`a delay of ${delay} jiffies`);
      expect(work.pending).toBe(false);
    });
  });

  it('is found again in what its function is given', () => {
    const work = new DelayedWork(() => {});
    expect(toDelayedWork(work)).toBe(work);
    expect(() => toDelayedWork(new Work(() => {}, 'plain'))).toThrow('to_delayed_work: plain is no delayed work');
  });

  it('is cancelled for good, however it queues itself', () => {
    const machine = new Machine();
    let runs = 0;
    machine.runTask(function* () {
      const work: DelayedWork = new DelayedWork(function* () {
        runs++;
        yield* msleep(20);
        scheduleDelayedWork(work, 1);
      });
      scheduleDelayedWork(work, 1);
      yield* msleep(100);
      const before = runs;
      yield* cancelDelayedWorkSync(work);
      yield* msleep(100);
      expect([runs, work.pending]).toEqual([before, false]);
      expect(cancelDelayedWork(work)).toBe(false);
    });
  });
});

describe('a hundred thousand delayed items', () => {
  it('run each once, each in its time', () => {
    const machine = new Machine({ traceRecords: 16 });
    const count = 100_000;
    let runs = 0;
    let early = 0;
    machine.runTask(() => {
      const start = jiffiesOf(machine);
      for (let i = 0; i < count; i++) {
        const delay = 1 + ((i * 7919) % 2_000);
        const work = new DelayedWork(() => {
          runs++;
          if (jiffiesOf(machine) <= start + delay) early++;
        });
        scheduleDelayedWork(work, delay);
        if (i % 10 === 0 && cancelDelayedWork(work)) runs++;
      }
    });
    machine.advance(20_000 * MS);
    expect([runs, early]).toEqual([count, 0]);
  });
});
