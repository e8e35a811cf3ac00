// Delayed work: when it is queued and in which order, and what the calls return in each of its states.
import {
  allocWorkqueue,
  delayedWorkPending,
  modDelayedWork,
  preemptDisable,
  queueDelayedWork,
  type Workqueue,
} from '../../../kernel/index.js';
import type { LoggedDelayedWork, Oracle } from '../vocabulary.js';

/** The calls on one item, logged with what they return. */
class Calls {
  readonly #o: Oracle;
  readonly #wq: Workqueue;
  readonly #work: LoggedDelayedWork;

  constructor(o: Oracle, wq: Workqueue, work: LoggedDelayedWork) {
    this.#o = o;
    this.#wq = wq;
    this.#work = work;
  }

  queue(delay: number, when?: string): void {
    const ret = queueDelayedWork(this.#wq, this.#work, delay);
    if (when !== undefined) this.#o.log('queue_delayed_work', { when, ret: ret ? 1 : 0 });
  }

  mod(delay: number, when: string): void {
    const ret = modDelayedWork(this.#wq, this.#work, delay);
    this.#o.log('mod_delayed_work', { when, ret: ret ? 1 : 0 });
  }
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const works = ['a', 'b', 'c', 'd'].map((w) => Object.assign(o.delayedWork(w), { logsAt: true }));
  const [a, b, c, d] = works.map((work) => new Calls(o, wq, work));
  const [workA] = works;
  if (a === undefined || b === undefined || c === undefined || d === undefined || workA === undefined) return;

  o.variant('order-same-delay-c,a,b');
  yield* o.base();
  for (const item of [c, a, b]) item.queue(5);
  yield* o.sleep(60);

  o.variant('different-delays');
  yield* o.base();
  a.queue(9);
  b.queue(3);
  c.queue(6);
  d.queue(0);
  o.log('task.queued');
  yield* o.sleep(80);

  o.variant('return-values');
  yield* o.base();
  a.queue(10, 'idle');
  a.queue(1, 'timer-pending');
  a.mod(3, 'timer-pending');
  o.log('delayed_work_pending', { ret: delayedWorkPending(workA) ? 1 : 0 });
  yield* o.sleep(40);
  yield* o.base();
  a.mod(2, 'idle');
  yield* o.sleep(40);
  yield* o.base();
  a.mod(0, 'idle,delay=0');
  yield* o.sleep(20);
  yield* o.base();
  a.queue(100);
  a.mod(0, 'timer-pending,delay=0');
  yield* o.sleep(20);
  yield* o.base();
  preemptDisable();
  a.queue(0);
  a.mod(3, 'on-worklist,delay=3');
  yield* o.preemptEnable();
  yield* o.sleep(40);
  yield* o.base();
  workA.sleep = 24;
  a.queue(0);
  yield* o.sleep(8);
  a.queue(1, 'running');
  a.mod(0, 'running+timer');
  yield* o.sleep(100);
}
