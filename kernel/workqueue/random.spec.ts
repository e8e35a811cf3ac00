// Random programs on random queues: what holds whatever is called when.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { PreemptModel } from '../machine-options.js';
import type { Coroutine } from '../sched/coroutine.js';
import { mdelay, msleep } from '../time/delay.js';
import {
  cancelDelayedWork,
  cancelDelayedWorkSync,
  disableDelayedWork,
  disableDelayedWorkSync,
  enableDelayedWork,
} from './cancel.js';
import { DelayedWork, flushDelayedWork, modDelayedWorkOn, queueDelayedWorkOn } from './delayed.js';
import { drainWorkqueue } from './drain.js';
import { WQ_CPU_INTENSIVE, WQ_FREEZABLE, WQ_HIGHPRI, WQ_MEM_RECLAIM, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { flushWorkqueue } from './flush-workqueue.js';
import { freezeWorkqueuesBegin, thawWorkqueues } from './freeze.js';
import { queueWorkOn } from './queue.js';
import { allocOrderedWorkqueue, allocWorkqueue, type Workqueue, workqueueSetMaxActive } from './workqueue.js';

const MS = 1_000_000;
const ITEMS = 5;

type Kind =
  | 'queue'
  | 'delayed'
  | 'mod'
  | 'cancel'
  | 'cancelSync'
  | 'flush'
  | 'flushDelayed'
  | 'flushAll'
  | 'disable'
  | 'enable'
  | 'freeze'
  | 'maxActive';

interface Step {
  readonly kind: Kind;
  readonly item: number;
  readonly cpu: number;
  readonly delay: number;
  readonly gapMs: number;
}

const kinds: readonly Kind[] = [
  'queue',
  'queue',
  'queue',
  'delayed',
  'delayed',
  'mod',
  'cancel',
  'cancelSync',
  'flush',
  'flushDelayed',
  'flushAll',
  'disable',
  'enable',
  'freeze',
  'maxActive',
];
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  item: fc.nat(ITEMS - 1),
  cpu: fc.nat(1),
  delay: fc.nat(4),
  gapMs: fc.nat(6),
});

/** An item with what is owed to it: a run for each time it was taken, unless a cancel took it back. */
class Counted extends DelayedWork {
  owed = 0;
  runs = 0;
  ended = 0;
  running = 0;
  disables = 0;
  /** What was on its way was taken back, or sent on its way anew. */
  takenBack = 0;

  constructor(model: Model, ms: number) {
    super(() => model.run(this, ms));
  }

  took(taken: boolean): void {
    if (taken) this.owed++;
  }

  tookBack(was: boolean): void {
    if (!was) return;
    this.owed--;
    this.takenBack++;
  }
}

/** Watches what may never happen. */
class Model {
  readonly machine: Machine;
  readonly wrong: string[] = [];
  readonly works: readonly Counted[];
  readonly wq: Workqueue;
  readonly #perPlace = new Map<number, number>();
  #waiting = 0;
  #frozen = false;
  /** The largest max_active so far: items that began with it may run still. */
  #mostActive: number;

  constructor(preempt: PreemptModel, make: () => Workqueue, lengths: readonly number[]) {
    this.machine = new Machine({ cpus: 2, preempt, printk: (_, text) => this.wrong.push(text) });
    this.wq = this.machine.runTask(make);
    this.works = lengths.map((ms) => new Counted(this, ms));
    this.#mostActive = this.wq.savedMaxActive;
  }

  *run(work: Counted, ms: number): Coroutine<void> {
    const { wq } = this;
    const place = wq.unbound ? -1 : (work.pool?.cpu?.id ?? 0);
    const active = (this.#perPlace.get(place) ?? 0) + 1;
    this.#perPlace.set(place, active);
    work.runs++;
    if (++work.running > 1) this.wrong.push('an item runs twice at once');
    if (active > this.#mostActive) this.wrong.push('more are active than may be');
    yield* ms < 0 ? mdelay(-ms) : msleep(ms);
    work.running--;
    work.ended++;
    this.#perPlace.set(place, (this.#perPlace.get(place) ?? 0) - 1);
  }

  readonly #steps: Readonly<Record<Kind, (work: Counted, step: Step) => void>> = {
    queue: (work, { cpu }) => this.#call(() => work.took(queueWorkOn(cpu, this.wq, work))),
    delayed: (work, { cpu, delay }) => this.#call(() => work.took(queueDelayedWorkOn(cpu, this.wq, work, delay))),
    mod: (work, { cpu, delay }) =>
      this.#call(() => {
        const was = modDelayedWorkOn(cpu, this.wq, work, delay);
        work.tookBack(was);
        work.took(work.disableDepth === 0);
      }),
    cancel: (work) => this.#call(() => work.tookBack(cancelDelayedWork(work))),
    cancelSync: (work) => this.#inTask(() => this.#cancelSync(work)),
    flush: (work) => this.#inTask(() => this.#flush(work, false)),
    flushDelayed: (work) => this.#inTask(() => this.#flush(work, true)),
    flushAll: () => this.#inTask(() => this.#flushAll()),
    disable: (work) =>
      this.#call(() => {
        work.disables++;
        work.tookBack(disableDelayedWork(work));
      }),
    enable: (work) => {
      if (work.disables === 0) return;
      work.disables--;
      this.#call(() => enableDelayedWork(work));
    },
    freeze: () => {
      this.#frozen = !this.#frozen;
      this.#call(this.#frozen ? freezeWorkqueuesBegin : thawWorkqueues);
    },
    maxActive: (_, { delay }) => {
      this.#mostActive = Math.max(this.#mostActive, delay + 1);
      this.#call(() => workqueueSetMaxActive(this.wq, delay + 1));
    },
  };

  do(step: Step): void {
    const work = this.works[step.item];
    if (work !== undefined) this.#steps[step.kind](work, step);
  }

  #inTask(body: () => Coroutine<void>): void {
    this.#waiting++;
    const ended = (): void => {
      this.#waiting--;
    };
    this.machine.spawn('waits', function* () {
      yield* body();
      ended();
    });
  }

  /** From a hard interrupt on the other CPU. */
  #call(fn: () => unknown): void {
    this.machine.cpus[1]?.callFunction(() => {
      fn();
      return 0;
    });
  }

  /** It takes the item back at once, and then waits. */
  *#cancelSync(work: Counted): Coroutine<void> {
    const { pending } = work;
    work.tookBack(pending);
    if ((yield* cancelDelayedWorkSync(work)) !== pending)
      this.wrong.push('cancel says something else than what it took');
  }

  /** Runs that were on their way, unless they were taken back, have ended when a flush comes back. */
  *#flush(work: Counted, delayed: boolean): Coroutine<void> {
    const ended = this.#expectEnd(work, delayed);
    yield* delayed ? flushDelayedWork(work) : flushWork(work);
    ended();
  }

  *#flushAll(): Coroutine<void> {
    const all = this.works.map((work) => this.#expectEnd(work, false));
    yield* flushWorkqueue(this.wq);
    for (const ended of all) ended();
  }

  /** Notes what is on its way now; the result is to be called when it should have ended. */
  #expectEnd(work: Counted, delayed: boolean): () => void {
    const { owed, takenBack, timer } = work;
    const expected = timer.pending && !delayed ? owed - 1 : owed;
    return () => {
      if (work.takenBack === takenBack && work.ended < expected)
        this.wrong.push(`flushed after ${work.ended} of ${expected} runs`);
    };
  }

  /** Lets all come to an end. */
  settle(): void {
    const { machine, works, wq } = this;
    if (this.#frozen) this.#call(thawWorkqueues);
    machine.advance(2_000 * MS);
    machine.runTask(() => drainWorkqueue(wq));
    for (const [i, { owed, runs }] of works.entries()) {
      if (owed !== runs) this.wrong.push(`item ${i} was taken ${owed} times, and ran ${runs} times`);
    }
    if (this.#waiting > 0) this.wrong.push(`${this.#waiting} calls have not come back`);
    for (const { nrRunning, nrWorkers, nrIdle, worklist } of machine.workqueues.pools) {
      if (nrRunning !== 0 || nrWorkers !== nrIdle || !worklist.empty) this.wrong.push('a pool is not at rest');
    }
    for (const pwq of wq.pwqs)
      if (!pwq.isEmpty || pwq.nrInFlight.some((n) => n !== 0)) this.wrong.push('a count is not 0');
  }
}

const flags = fc.constantFrom(
  0,
  WQ_UNBOUND,
  WQ_HIGHPRI,
  WQ_CPU_INTENSIVE,
  WQ_FREEZABLE,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND | WQ_FREEZABLE | WQ_MEM_RECLAIM,
);
const lengths = fc.array(fc.integer({ min: -14, max: 12 }), { minLength: ITEMS, maxLength: ITEMS });

const models = fc.constantFrom<PreemptModel>('full', 'none');

describe('any program', () => {
  it('has no item run twice at once or lost, passes no max_active, and comes back from each flush in time', () => {
    const queue = fc.record({ flags, maxActive: fc.nat(3), preempt: models });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), queue, lengths, (steps, { preempt, ...wq }, ms) => {
        const model = new Model(preempt, () => allocWorkqueue('p', wq.flags, wq.maxActive), ms);
        for (const one of steps) {
          model.do(one);
          model.machine.advance(one.gapMs * MS);
        }
        model.settle();
        expect(model.wrong).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('an ordered queue', () => {
  it('runs one item at a time, in the order in which they were queued, whatever is done to others', () => {
    const item = fc.record({
      ms: fc.integer({ min: -3, max: 6 }),
      cpu: fc.nat(1),
      gapMs: fc.nat(3),
      cancel: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.constantFrom(0, WQ_HIGHPRI, WQ_MEM_RECLAIM), (items, more) => {
        const machine = new Machine({ cpus: 2 });
        const wq = machine.runTask(() => allocOrderedWorkqueue('ordered', more));
        const order: number[] = [];
        const expected: number[] = [];
        let running = 0;
        let most = 0;
        for (const [i, { ms, cpu, gapMs, cancel }] of items.entries()) {
          const work = new DelayedWork(function* () {
            most = Math.max(most, ++running);
            order.push(i);
            yield* ms < 0 ? mdelay(-ms) : msleep(ms);
            running--;
          });
          machine.cpus[cpu]?.callFunction(() => {
            queueWorkOn(cpu, wq, work);
            if (!cancel || !cancelDelayedWork(work)) expected.push(i);
            return 0;
          });
          machine.advance(gapMs * MS);
        }
        machine.runTask(() => disableDelayedWorkSync(new DelayedWork(() => {})));
        machine.advance(1_000 * MS);
        expect([order, most <= 1]).toEqual([expected, true]);
      }),
    );
  });
});
