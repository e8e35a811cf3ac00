// A disabled tasklet stays scheduled, and runs once it is enabled.
import {
  Tasklet,
  taskletDisable,
  taskletDisableNosync,
  taskletEnable,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

function* scheduleInHardirq(o: Oracle, tasklet: Tasklet) {
  yield* o.hard(() => {
    taskletSchedule(tasklet);
    o.log('hardirq.end');
  });
}

function* declaredDisabled(o: Oracle) {
  o.variant('DECLARE_TASKLET_DISABLED');
  const t = new Tasklet(() => o.log('tasklet.static'), 1);
  o.log('count', { count: t.count });
  yield* scheduleInHardirq(o, t);
  o.log('task.after');
  yield* o.sleep(12);
  o.log('pending', { state: t.state });
  o.log('tasklet_enable');
  taskletEnable(t);
  yield* o.sleep(12);
  o.log('pending', { state: t.state });
}

export default function* (o: Oracle) {
  yield* declaredDisabled(o);
  const tl0 = o.tasklet(0);
  o.variant('disable-schedule-twice-enable');
  yield* taskletDisable(tl0);
  yield* scheduleInHardirq(o, tl0);
  yield* scheduleInHardirq(o, tl0);
  yield* o.sleep(12);
  o.log('runs', { n: tl0.runs });
  o.log('tasklet_enable');
  taskletEnable(tl0);
  yield* o.sleep(12);
  o.log('runs', { n: tl0.runs });
  o.variant('disable-nesting');
  yield* taskletDisable(tl0);
  yield* taskletDisable(tl0);
  yield* scheduleInHardirq(o, tl0);
  for (const after of ['after-one-enable', 'after-two-enables']) {
    taskletEnable(tl0);
    yield* o.sleep(8);
    o.log(after, { runs: tl0.runs });
  }
  o.variant('disabled-does-it-keep-ksoftirqd-busy');
  taskletDisableNosync(tl0);
  taskletSchedule(tl0);
  yield* o.sleep(20);
  o.log('slept');
  taskletEnable(tl0);
  yield* o.sleep(12);
}
