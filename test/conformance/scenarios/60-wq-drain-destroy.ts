// What flush_workqueue, drain_workqueue and destroy_workqueue wait for.
import {
  allocWorkqueue,
  destroyWorkqueue,
  drainWorkqueue,
  flushWorkqueue,
  queueDelayedWork,
  queueWork,
  type Workqueue,
  WQ_UNBOUND,
} from '../../../kernel/index.js';
import type { LoggedWork, Oracle } from '../vocabulary.js';

function twoWorks(o: Oracle, wq: Workqueue): void {
  o.queueWork(wq, Object.assign(o.work('a'), { sleep: 12 }));
  o.queueWork(wq, Object.assign(o.work('b'), { sleep: 20 }));
}

/** Queues itself twice more. */
function requeuing(o: Oracle, wq: Workqueue): LoggedWork {
  const work: LoggedWork = Object.assign(o.work('a'), {
    sleep: 8,
    first: (run: number) => {
      if (run < 3) o.log('requeue-self', { w: 'a', ret: queueWork(wq, work) ? 1 : 0 });
    },
  });
  return work;
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 1);
  o.variant('flush_workqueue');
  twoWorks(o, wq);
  o.log('flush_workqueue');
  yield* flushWorkqueue(wq);
  o.log('returned');

  o.variant('flush_workqueue-with-self-requeue');
  o.queueWork(wq, requeuing(o, wq));
  yield* o.sleep(4);
  o.log('flush_workqueue');
  yield* flushWorkqueue(wq);
  o.log('returned');
  yield* o.sleep(40);

  o.variant('drain_workqueue-with-self-requeue');
  o.queueWork(wq, requeuing(o, wq));
  yield* o.sleep(4);
  o.log('drain_workqueue');
  yield* drainWorkqueue(wq);
  o.log('returned');

  o.variant('flush_workqueue-ignores-delayed');
  queueDelayedWork(wq, o.delayedWork('a'), 6);
  yield* flushWorkqueue(wq);
  o.log('returned');
  yield* o.sleep(60);

  for (const [name, queue] of [
    ['destroy-with-pending', wq],
    ['unbound-destroy-with-pending', allocWorkqueue('unbound', WQ_UNBOUND, 1)],
  ] as const) {
    o.variant(name);
    twoWorks(o, queue);
    o.log('destroy_workqueue');
    yield* destroyWorkqueue(queue);
    o.log('returned');
  }
}
