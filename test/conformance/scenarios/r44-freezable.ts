// Works of a freezable workqueue wait while it is frozen.
import {
  allocWorkqueue,
  cancelWorkSync,
  destroyWorkqueue,
  flushWork,
  freezeWorkqueuesBegin,
  freezeWorkqueuesBusy,
  thawWorkqueues,
  WQ_FREEZABLE,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { busy, start } from './_works.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('frz', WQ_FREEZABLE, 0);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const frozen = () => ret(o, 'freeze_workqueues_busy', freezeWorkqueuesBusy());
  a.sleep = 12;
  o.variant('frozen');
  yield* start(o, wq, a);
  freezeWorkqueuesBegin();
  frozen();
  o.queueWork(wq, b);
  o.queueWork(o.machine.workqueues.systemWq, c);
  yield* o.sleep(20);
  frozen();
  busy(o, 'frozen', b);
  thawWorkqueues();
  o.log('thawed');
  yield* o.sleep(10);
  o.variant('cancelled while frozen');
  freezeWorkqueuesBegin();
  o.queueWork(wq, b);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(b));
  o.queueWork(wq, b);
  thawWorkqueues();
  ret(o, 'flush_work', yield* flushWork(b));
  yield* destroyWorkqueue(wq);
}
