// Tasklets that schedule each other and themselves.
import { localBhDisable, taskletHiSchedule, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet } from './_helpers.js';

export default function* (o: Oracle) {
  const a = new ActingTasklet(o, 'a');
  const b = new ActingTasklet(o, 'b');
  const c = new ActingTasklet(o, 'c');
  const upTo = (runs: number, again: (t: ActingTasklet) => void) => (run: number) => {
    if (run < runs) again(a);
  };
  o.variant('others');
  a.act = (run) => {
    if (run !== 1) return;
    taskletSchedule(b);
    taskletHiSchedule(c);
    o.log('state', { a: a.state, b: b.state, c: c.state });
  };
  yield* o.hard(() => taskletSchedule(a));
  o.log('after');
  yield* o.sleep(5);
  o.variant('itself');
  a.act = upTo(14, taskletSchedule);
  a.runs = 0;
  yield* o.hard(() => taskletSchedule(a));
  o.log('after');
  yield* o.sleep(10);
  o.variant('itself from bh off');
  a.runs = 0;
  localBhDisable();
  taskletSchedule(a);
  o.log('scheduled');
  yield* o.localBhEnable();
  o.log('after');
  yield* o.sleep(10);
  o.variant('itself as hi');
  a.act = upTo(3, taskletHiSchedule);
  a.runs = 0;
  yield* o.hard(() => {
    taskletSchedule(a);
    taskletHiSchedule(b);
    taskletSchedule(c);
    o.log('scheduled');
  });
  o.log('after');
  yield* o.sleep(10);
  yield* o.thread(
    'low',
    function* () {
      o.log('low task');
      yield* o.point();
    },
    { fifo: 0 },
  );
  yield* o.sleep(2);
}
