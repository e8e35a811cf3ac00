import { expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { flushWork } from '../workqueue/flush.js';
import { scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { thisCpu } from './current.js';

const ITEMS = 10;

/** Items of work that log their number, and then do something. */
function itemsThat(log: string[], act: (i: number) => void): Work[] {
  return Array.from(
    { length: ITEMS },
    (_, i) =>
      new Work(() => {
        log.push(`item ${i}`);
        act(i);
      }),
  );
}

it('an interrupt that an item of work raises comes in before the next item', () => {
  const machine = new Machine();
  const log: string[] = [];
  const items = itemsThat(log, (i) => {
    thisCpu().callFunction(() => {
      log.push(`interrupt ${i}`);
      return 0;
    });
  });
  machine.runTask(function* () {
    for (const item of items) scheduleWork(item);
    for (const item of items) yield* flushWork(item);
  });
  expect(log).toEqual(items.flatMap((_, i) => [`item ${i}`, `interrupt ${i}`]));
});

it('a task of SCHED_FIFO that an item of work starts runs before the next item', () => {
  const machine = new Machine();
  const log: string[] = [];
  const items = itemsThat(log, (i) => {
    machine.spawn('urgent', () => void log.push(`urgent ${i}`), { rtPriority: 1 });
  });
  machine.runTask(function* () {
    for (const item of items) scheduleWork(item);
    yield* msleep(1);
  });
  expect(log).toEqual(items.flatMap((_, i) => [`item ${i}`, `urgent ${i}`]));
});

it('an item that queues itself for ever is found to be a circle', () => {
  const machine = new Machine();
  const again: Work = new Work(() => void scheduleWork(again), 'again');
  const run = () =>
    machine.runTask(function* () {
      scheduleWork(again);
      yield* msleep(1);
    });
  expect(run).toThrow(/no end of work .* workqueue_execute_start again/);
});
