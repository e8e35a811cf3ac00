// Work of BH workqueues, beside tasklets: order, flush, cancel, disable.
import {
  cancelWork,
  cancelWorkSync,
  disableWorkSync,
  enableAndQueueWork,
  flushWork,
  localBhDisable,
  taskletHiSchedule,
  taskletSchedule,
  workBusy,
  workPending,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet, ret } from './_helpers.js';

export default function* (o: Oracle) {
  const [ta, tb, tc] = [new ActingTasklet(o, 'ta'), new ActingTasklet(o, 'tb'), new ActingTasklet(o, 'tc')];
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const { systemBhWq, systemBhHighpriWq } = o.machine.workqueues;
  const queue = (work: typeof a) => o.queueWork(systemBhWq, work);
  o.variant('order');
  yield* o.hard(() => {
    taskletSchedule(ta);
    queue(a);
    taskletHiSchedule(tb);
    o.queueWork(systemBhHighpriWq, b);
    taskletSchedule(tc);
    queue(c);
  });
  o.log('after');
  yield* o.sleep(5);
  o.variant('itself');
  a.inWork = (run) => {
    if (run < 4) queue(a);
  };
  a.runs = 0;
  localBhDisable();
  queue(a);
  ret(o, 'pending', workPending(a));
  yield* o.localBhEnable();
  ret(o, 'pending', workPending(a));
  yield* o.sleep(5);
  a.inWork = () => {};
  o.variant('flush');
  queue(a);
  ret(o, 'flush_work', yield* flushWork(a));
  ret(o, 'flush_work', yield* flushWork(a));
  o.variant('cancel');
  queue(a);
  ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
  queue(a);
  ret(o, 'cancel_work', cancelWork(a));
  yield* o.sleep(5);
  o.variant('disable');
  queue(a);
  ret(o, 'disable_work_sync', yield* disableWorkSync(a));
  queue(a);
  ret(o, 'enable_and_queue', enableAndQueueWork(systemBhWq, a));
  yield* o.sleep(5);
  ret(o, 'busy', workBusy(a));
}
