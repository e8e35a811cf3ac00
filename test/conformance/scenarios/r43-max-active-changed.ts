// max_active is raised and lowered while works wait for it.
import {
  allocWorkqueue,
  cancelWorkSync,
  destroyWorkqueue,
  flushWork,
  preemptDisable,
  workqueueSetMaxActive,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { busy, queuerOf, start } from './_works.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 1);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const queue = queuerOf(o, wq);
  for (const work of [a, b, c]) work.sleep = 12;
  preemptDisable();
  queue(a, b, c);
  yield* o.preemptEnable();
  yield* o.sleep(4);
  o.log('raise to 3');
  workqueueSetMaxActive(wq, 3);
  yield* o.sleep(40);
  o.variant('lowered');
  yield* start(o, wq, a);
  workqueueSetMaxActive(wq, 1);
  queue(b, c);
  yield* o.sleep(60);
  o.variant('cancel an inactive one');
  queue(a, b, c);
  yield* o.sleep(4);
  busy(o, 'inactive', b);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(b));
  ret(o, 'flush_work', yield* flushWork(c));
  yield* destroyWorkqueue(wq);
}
