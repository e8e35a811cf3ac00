import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { Completion, complete, waitForCompletion } from '../sched/completion.js';
import { current, smpProcessorId } from '../sched/current.js';
import { mdelay, msleep } from '../time/delay.js';
import { destroyWorkqueue } from './drain.js';
import { WQ_MEM_RECLAIM, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { currentIsWorkqueueRescuer, wqWorkerComm } from './info.js';
import { queueWork, queueWorkOn } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue, createWorkqueue } from './workqueue.js';

const MS = 1_000_000;

/**
 * One item waits for another of its queue, and no worker can be made for that one: as when it would free the memory that the
 * worker needs.
 */
function lowOnMemory(flags: number, creation: 'fails' | 'blocks') {
  const log: string[] = [];
  const printed: string[] = [];
  const machine = new Machine({ printk: (level, text) => printed.push(`${level}: ${text}`) });
  const start = machine.clock.now();
  const at = (text: string): void => {
    log.push(`${(machine.clock.now() - start) / MS} ${text} ${current().comm}`);
  };
  const done = new Completion();
  const waits = new Work(function* waits() {
    at('waits');
    yield* waitForCompletion(done);
    at('goes on');
  });
  const frees = new Work(() => {
    at('frees');
    complete(done);
  });
  const run = (): void => {
    machine.runTask(function* () {
      const wq = allocWorkqueue('reclaim', flags, 0);
      // Two workers and a spare one are there; after that there is no memory, and the spare one will try to make another.
      const sleepers = [new Work(() => msleep(1)), new Work(() => msleep(1))];
      for (const work of sleepers) queueWork(wq, work);
      for (const work of sleepers) yield* flushWork(work);
      machine.workqueues.memory.creation = creation;
      queueWork(wq, new Work(() => waitForCompletion(new Completion()), 'holds a worker'));
      queueWork(wq, waits);
      queueWork(wq, frees);
      yield* flushWork(waits);
    });
  };
  return { machine, log, printed, run };
}

describe.each([
  ['bound', 0],
  ['unbound', WQ_UNBOUND],
])('when no worker can be made for a queue that is %s', (_, flags) => {
  it.each(['fails', 'blocks'] as const)('because it %s, all of it waits for ever', (creation) => {
    const { run, log } = lowOnMemory(flags, creation);
    expect(run).toThrow(/init.* is reported as hung/);
    expect(log.filter((entry) => entry.includes('frees'))).toEqual([]);
  });

  it.each(['fails', 'blocks'] as const)(
    'because it %s, the rescuer runs what is queued with WQ_MEM_RECLAIM',
    (creation) => {
      const { run, log, printed } = lowOnMemory(flags | WQ_MEM_RECLAIM, creation);
      run();
      const texts = log.map((entry) => entry.replace(/^[\d.]+ /, '').replace(/u?\d+:\d+/, 'N'));
      expect(texts.at(-1)).toMatch(/^goes on kworker/);
      expect(texts).toContain('frees kworker/R-recla');
      expect(printed).toEqual(
        creation === 'fails' ? ['err: workqueue: Failed to create a worker thread: -ENOMEM'] : [],
      );
    },
  );
});

describe('the rescuer', () => {
  function busyQueue(cpus: number) {
    const machine = new Machine({ cpus });
    const ran: string[] = [];
    const item = (name: string, body: () => unknown = () => {}): Work =>
      new Work(() => {
        ran.push(`${name} ${wqWorkerComm(current())} cpu${smpProcessorId()} ${currentIsWorkqueueRescuer()}`);
        return body() as undefined;
      }, name);
    /** Takes the memory away and puts the workers of a CPU to sleep, all but the one that will try to make another. */
    const starve = function* (cpu: number) {
      const plain = allocWorkqueue('plain', 0, 0);
      for (let i = 0; i < 2; i++) queueWorkOn(cpu, plain, new Work(() => msleep(1)));
      yield* msleep(8);
      machine.workqueues.memory.creation = 'blocks';
      for (let i = 0; i < 2; i++) queueWorkOn(cpu, plain, new Work(() => msleep(60_000)));
      yield* msleep(1);
    };
    return { machine, ran, item, starve };
  }

  it('goes to the CPU of the pool that calls, and from one pool to the next', () => {
    const { machine, ran, item, starve } = busyQueue(2);
    machine.runTask(function* () {
      const wq = allocWorkqueue('two', WQ_MEM_RECLAIM, 0);
      yield* starve(0);
      machine.workqueues.memory.creation = 'works';
      yield* starve(1);
      for (const cpu of [0, 1, 0, 1]) queueWorkOn(cpu, wq, item(`on${cpu}`));
      yield* msleep(400);
    });
    const sorted = ran.map((entry) => entry.replace(/\+two/, '')).sort();
    expect(sorted.filter((entry) => entry.startsWith('on1'))).toEqual(Array(2).fill('on1 kworker/R-two cpu1 true'));
    expect(sorted.filter((entry) => entry.startsWith('on0')).map((entry) => entry.split(' ')[2])).toEqual([
      'cpu0',
      'cpu0',
    ]);
  });

  it('runs all items of its queue in order, and leaves those of others', () => {
    const { machine, ran, item, starve } = busyQueue(1);
    machine.runTask(function* () {
      const wq = allocWorkqueue('mine', WQ_MEM_RECLAIM, 0);
      const other = allocWorkqueue('other', 0, 0);
      yield* starve(0);
      for (let i = 0; i < 40; i++) {
        queueWork(other, item(`other${i}`));
        queueWork(wq, item(`mine${i}`, i % 10 === 0 ? () => mdelay(1) : undefined));
      }
      yield* msleep(2_000);
      expect(ran.map((entry) => entry.split(' ')[0])).toEqual(Array.from({ length: 40 }, (_, i) => `mine${i}`));
      machine.workqueues.memory.creation = 'works';
      yield* msleep(10);
    });
    expect(ran.slice(40).map((entry) => entry.split(' ')[0])).toEqual(
      Array.from({ length: 40 }, (_, i) => `other${i}`),
    );
  });

  it('ends with its queue', () => {
    const machine = new Machine();
    machine.runTask(function* () {
      const wq = createWorkqueue('legacy');
      yield* msleep(1);
      expect([...machine.tasks].map(({ comm }) => comm)).toContain('kworker/R-legac');
      yield* destroyWorkqueue(wq);
      expect([...machine.tasks].map(({ comm }) => comm)).not.toContain('kworker/R-legac');
    });
  });
});

describe('a flush', () => {
  it('of a queue without a rescuer by an item of one with a rescuer is warned of', () => {
    const printed: string[] = [];
    const machine = new Machine({ printk: (_, text) => printed.push(text) });
    machine.runTask(function* () {
      const target = new Work(function target_fn() {});
      const plain = allocWorkqueue('plain', 0, 0);
      const flusher = new Work(function flusher_fn() {
        queueWork(plain, target);
        return flushWork(target);
      });
      queueWork(allocWorkqueue('reclaim', WQ_MEM_RECLAIM, 0), flusher);
      yield* flushWork(flusher);
    });
    expect(printed[0]).toContain(
      'workqueue: WQ_MEM_RECLAIM reclaim:flusher_fn is flushing !WQ_MEM_RECLAIM plain:target_fn',
    );
    expect(printed).toHaveLength(1);
  });
});
