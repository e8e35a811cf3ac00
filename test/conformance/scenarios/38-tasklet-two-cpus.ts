// One tasklet, two CPUs: never on both at once.
import {
  Completion,
  complete,
  localBhDisable,
  mdelay,
  Tasklet,
  taskletSchedule,
  waitForCompletion,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

function* whileRunning(o: Oracle) {
  o.variant('second-cpu-schedules-while-running');
  const started = new Completion();
  let scheduled = false;
  let runs = 0;
  const t5 = new Tasklet(function* () {
    const run = ++runs;
    o.log('tasklet.begin', { run });
    if (run === 1) {
      complete(started);
      yield* o.spinUntil(() => scheduled);
      yield* mdelay(5);
    }
    o.log('tasklet.end', { run });
  });
  const other = function* () {
    yield* waitForCompletion(started);
    localBhDisable();
    o.log('cpu1.schedule while running on cpu0');
    taskletSchedule(t5);
    scheduled = true;
    o.log('cpu1.scheduled');
    yield* o.localBhEnable();
    o.log('cpu1.bh_enabled');
  };
  yield* o.thread('other', other, { cpu: 1, fifo: 0 });
  yield* o.sleep(8);
  yield* o.hard(() => taskletSchedule(t5));
  o.log('task.after');
  yield* o.sleep(40);
  o.log('runs', { n: runs });
}

export default function* (o: Oracle) {
  yield* whileRunning(o);
  o.variant('second-cpu-schedules-while-pending');
  const t0 = o.tasklet(0);
  localBhDisable();
  yield* o.hard(() => {
    taskletSchedule(t0);
    o.log('hardirq.scheduled');
  });
  yield* o.callOn(1, () => {
    o.log('cpu1.schedule while pending on cpu0');
    taskletSchedule(t0);
    o.log('cpu1.scheduled');
  });
  o.log('runs-before-bh-enable', { n: t0.runs });
  yield* o.localBhEnable();
  yield* o.sleep(20);
  o.log('runs', { n: t0.runs });
}
