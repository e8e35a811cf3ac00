import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { cancelWork } from './cancel.js';
import { WQ_FREEZABLE, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { flushWorkqueue } from './flush-workqueue.js';
import { freezeWorkqueuesBegin, freezeWorkqueuesBusy, thawWorkqueues } from './freeze.js';
import { queueWork } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue, createFreezableWorkqueue } from './workqueue.js';

describe.each([
  ['bound', () => allocWorkqueue('f', WQ_FREEZABLE, 0)],
  ['unbound', () => allocWorkqueue('f', WQ_FREEZABLE | WQ_UNBOUND, 0)],
  ['made by create_freezable_workqueue', () => createFreezableWorkqueue('f')],
])('a freezable queue that is %s', (_, make) => {
  it('ends what it is at, keeps the rest until the machine is awake again, and its order', () => {
    const log: string[] = [];
    const machine = new Machine();
    const item = (name: string): Work =>
      new Work(function* () {
        log.push(`${name} begins`);
        yield* msleep(8);
        log.push(`${name} ends`);
      }, name);
    machine.runTask(function* () {
      const wq = make();
      const other = allocWorkqueue('other', 0, 0);
      queueWork(wq, item('a'));
      yield* msleep(1);
      freezeWorkqueuesBegin();
      queueWork(wq, item('b'));
      queueWork(wq, item('c'));
      queueWork(other, item('other'));
      const late = allocWorkqueue('late', WQ_FREEZABLE, 0);
      queueWork(late, item('late'));
      expect(freezeWorkqueuesBusy()).toBe(true);
      yield* msleep(100);
      expect(freezeWorkqueuesBusy()).toBe(false);
      log.push('frozen');
      thawWorkqueues();
      yield* flushWorkqueue(wq);
      yield* flushWorkqueue(late);
    });
    const frozen = log.indexOf('frozen');
    expect(log.slice(0, frozen).sort()).toEqual(['a begins', 'a ends', 'other begins', 'other ends']);
    const begins = log.slice(frozen + 1).filter((entry) => entry.endsWith('begins') && entry !== 'late begins');
    expect(begins).toEqual(['b begins', 'c begins']);
  });
});

describe('an item that was queued on a frozen queue, and cancelled', () => {
  it("is in nobody's way when the queue is thawed", () => {
    const machine = new Machine();
    let runs = 0;
    machine.runTask(function* () {
      const wq = createFreezableWorkqueue('f');
      const work = new Work(() => {
        runs++;
      });
      freezeWorkqueuesBegin();
      queueWork(wq, work);
      cancelWork(work);
      thawWorkqueues();
      queueWork(wq, work);
      yield* msleep(10);
    });
    expect(runs).toBe(1);
  });

  it('lets go who waits for it', () => {
    const machine = new Machine();
    const flushed = machine.runTask(function* () {
      const wq = createFreezableWorkqueue('f');
      const work = new Work(() => {});
      freezeWorkqueuesBegin();
      queueWork(wq, work);
      machine.spawn('cancel', function* () {
        yield* msleep(1);
        cancelWork(work);
      });
      return yield* flushWork(work);
    });
    expect(flushed).toBe(true);
  });
});

describe('freezing', () => {
  it('twice, and asking without, is warned of; thawing what is not frozen does nothing', () => {
    const printed: string[] = [];
    const machine = new Machine({ printk: (_, text) => printed.push(text) });
    machine.runTask(() => {
      thawWorkqueues();
      freezeWorkqueuesBusy();
      freezeWorkqueuesBegin();
      freezeWorkqueuesBegin();
    });
    expect(printed.map((text) => /freeze_workqueues_\w+/.exec(text)?.[0])).toEqual([
      'freeze_workqueues_busy',
      'freeze_workqueues_begin',
    ]);
  });
});
