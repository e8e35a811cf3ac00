// tasklet_kill in each state of a tasklet.
import { localBhDisable, taskletKill, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet } from './_helpers.js';

export default function* (o: Oracle) {
  const a = new ActingTasklet(o, 'a');
  const kill = function* () {
    yield* taskletKill(a);
    o.log('killed');
  };
  o.variant('idle');
  yield* kill();
  o.variant('scheduled');
  taskletSchedule(a);
  yield* kill();
  o.variant('bh off');
  localBhDisable();
  taskletSchedule(a);
  o.log('state', { bits: a.state });
  yield* o.localBhEnable();
  o.log('state', { bits: a.state });
  o.variant('again and again');
  a.act = (run) => {
    if (run < 3) taskletSchedule(a);
  };
  a.runs = 0;
  yield* o.hard(() => taskletSchedule(a));
  yield* kill();
  yield* o.sleep(10);
  o.variant('killed, then scheduled');
  a.act = () => {};
  yield* taskletKill(a);
  yield* o.hard(() => taskletSchedule(a));
  o.log('scheduled again');
}
