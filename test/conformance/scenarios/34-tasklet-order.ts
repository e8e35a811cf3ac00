// Tasklets of HI first, then the others, each in the order of scheduling.
import { taskletHiSchedule, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const [n0, n1, n2, hi3, hi4] = [o.tasklet(0), o.tasklet(1), o.tasklet(2), o.tasklet(3), o.tasklet(4)];
  o.log('order: n0 hi3 n1 hi4 n2');
  yield* o.hard(() => {
    taskletSchedule(n0);
    taskletHiSchedule(hi3);
    taskletSchedule(n1);
    taskletHiSchedule(hi4);
    taskletSchedule(n2);
    o.log('hardirq.end');
  });
  o.log('task.after');
}
