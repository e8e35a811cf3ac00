import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { flushWork } from '../workqueue/flush.js';
import { scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { DURATION_BOUNDS_NS, type DurationContext, Durations } from './durations.js';
import { Tracepoint, type TracepointId } from './ring.js';

function note(durations: Durations, event: TracepointId, timeNs: number, cpu: number, pid: number): void {
  durations.note(event, Float64Array.of(timeNs), 0, cpu, pid);
}

function countsOf(durations: Durations, context: DurationContext) {
  const counts = durations.read().find((one) => one.context === context);
  if (counts === undefined) throw new Error(`no ${context}`);
  return counts;
}

const bucketFor = (ns: number): number => DURATION_BOUNDS_NS.findIndex((bound) => ns <= bound);
const total = (buckets: readonly number[]): number => buckets.reduce((sum, count) => sum + count, 0);

describe('durations', () => {
  it('puts each time into the first bucket whose bound is not below it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (ns) => {
        const durations = new Durations(1);
        note(durations, Tracepoint.softirqEntry, 5, 0, 0);
        note(durations, Tracepoint.softirqExit, 5 + ns, 0, 0);
        const { buckets, sumNs } = countsOf(durations, 'softirq');
        const right = DURATION_BOUNDS_NS.findIndex((bound) => ns <= bound);
        expect(buckets.indexOf(1)).toBe(right === -1 ? DURATION_BOUNDS_NS.length : right);
        expect(total(buckets)).toBe(1);
        expect(sumNs).toBe(ns);
      }),
    );
  });

  it('keeps tasks apart that are in their handlers at once, and CPUs', () => {
    const durations = new Durations(2);
    note(durations, Tracepoint.irqThreadEntry, 0, 0, 7);
    note(durations, Tracepoint.irqThreadEntry, 100, 0, 8);
    note(durations, Tracepoint.irqThreadExit, 1_000, 0, 8);
    note(durations, Tracepoint.irqThreadExit, 2_000, 1, 7);
    expect(countsOf(durations, 'thread')).toMatchObject({ sumNs: 2_900 });
    note(durations, Tracepoint.irqHandlerEntry, 0, 0, 3);
    note(durations, Tracepoint.irqHandlerEntry, 10, 1, 3);
    note(durations, Tracepoint.irqHandlerExit, 20, 0, 3);
    note(durations, Tracepoint.irqHandlerExit, 40, 1, 3);
    expect(countsOf(durations, 'hardirq')).toMatchObject({ sumNs: 50 });
  });

  it('leaves out an exit whose entry it has not seen, and never takes that of another task for it', () => {
    const durations = new Durations(1);
    note(durations, Tracepoint.workqueueExecuteEnd, 9, 0, 1);
    note(durations, Tracepoint.workqueueExecuteStart, 10, 0, 1);
    // Shares its place with task 1.
    note(durations, Tracepoint.workqueueExecuteStart, 20, 0, 257);
    note(durations, Tracepoint.workqueueExecuteEnd, 30, 0, 1);
    expect(total(countsOf(durations, 'work').buckets)).toBe(0);
    note(durations, Tracepoint.workqueueExecuteEnd, 45, 0, 257);
    expect(countsOf(durations, 'work')).toMatchObject({ sumNs: 25 });
  });

  it('measures the work items of a machine from the moment that it is asked to', () => {
    const machine = new Machine();
    const item = (ms: number): Work =>
      new Work(function* () {
        yield* msleep(ms);
      }, 'item');
    const run = (ms: number): void => {
      machine.runTask(function* () {
        const work = item(ms);
        scheduleWork(work);
        yield* flushWork(work);
      });
    };
    run(8);
    const durations = new Durations(machine.cpus.length);
    machine.trace.durations = durations;
    run(16);
    const { buckets, sumNs } = countsOf(durations, 'work');
    expect(sumNs).toBeGreaterThanOrEqual(16e6);
    expect(sumNs).toBeLessThan(24e6);
    // The item, and what flushWork queues behind it.
    expect(buckets[bucketFor(sumNs)]).toBe(1);
    expect(total(countsOf(durations, 'hrtimer').buckets) + total(countsOf(durations, 'timer').buckets)).toBeGreaterThan(
      0,
    );
  });
});
