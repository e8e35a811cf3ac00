// Work queued and cancelled in a hard interrupt, and flushed twice.
import { cancelWork, flushWork, scheduleWork, scheduleWorkOn } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const { systemWq, systemHighpriWq } = o.machine.workqueues;
  yield* o.hard(() => {
    o.queueWork(systemWq, a);
    o.queueWork(systemHighpriWq, b);
    o.queueWork(systemWq, a);
    ret(o, 'schedule_work', scheduleWork(c));
    ret(o, 'cancel_work', cancelWork(c));
  });
  o.log('after');
  yield* o.sleep(10);
  o.variant('schedule_work_on');
  ret(o, 'on 0', scheduleWorkOn(0, c));
  ret(o, 'flush', yield* flushWork(c));
  o.variant('two flushers');
  a.sleep = 12;
  o.queueWork(systemWq, a);
  yield* o.sleep(4);
  ret(o, 'flush_work', yield* flushWork(a));
  ret(o, 'flush_work', yield* flushWork(a));
}
