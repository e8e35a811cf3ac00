// A tasklet scheduled twice before it runs runs once, in the softirq of the first call.
import { localBhDisable, taskletHiSchedule, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const t = o.tasklet(0);
  const inHardirq = function* (variant: string, ...calls: ((tasklet: typeof t) => void)[]) {
    o.variant(variant);
    yield* o.hard(() => {
      for (const call of calls) call(t);
      o.log('hardirq.end');
    });
  };
  yield* inHardirq('twice-in-one-handler', taskletSchedule, taskletSchedule);
  o.log('task.after');
  yield* inHardirq('schedule-then-hi_schedule', taskletSchedule, taskletHiSchedule);
  yield* inHardirq('hi_schedule-then-schedule', taskletHiSchedule, taskletSchedule);
  o.variant('twice-in-task-bh-off');
  localBhDisable();
  taskletSchedule(t);
  taskletSchedule(t);
  o.log('both');
  yield* o.localBhEnable();
  o.log('after');
  o.variant('task-bh-on');
  taskletSchedule(t);
  yield* o.point();
  o.log('after_schedule');
  yield* o.sleep(10);
  o.log('after_sleep');
  o.variant('task-twice-bh-on');
  taskletSchedule(t);
  yield* o.sleep(5);
  taskletSchedule(t);
  yield* o.sleep(10);
}
