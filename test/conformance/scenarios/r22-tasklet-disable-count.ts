// A tasklet runs when it has been enabled as often as disabled.
import {
  taskletDisable,
  taskletDisableNosync,
  taskletEnable,
  taskletHiSchedule,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet } from './_helpers.js';

export default function* (o: Oracle) {
  const a = new ActingTasklet(o, 'a');
  const b = new ActingTasklet(o, 'b');
  const c = new ActingTasklet(o, 'c');
  const all = () => {
    taskletSchedule(a);
    taskletSchedule(b);
    taskletHiSchedule(c);
  };
  o.variant('nosync twice');
  taskletDisableNosync(a);
  yield* taskletDisable(a);
  yield* o.hard(all);
  o.log('a', { state: a.state, count: a.count });
  taskletEnable(a);
  yield* o.sleep(5);
  o.log('enabled once');
  taskletEnable(a);
  yield* o.sleep(5);
  o.variant('hi disabled');
  yield* taskletDisable(c);
  yield* o.hard(all);
  yield* o.sleep(5);
  o.log('c', { state: c.state });
  taskletEnable(c);
  yield* o.sleep(5);
  o.variant('disabled by a tasklet before it');
  yield* o.hard(all);
  yield* o.sleep(5);
}
