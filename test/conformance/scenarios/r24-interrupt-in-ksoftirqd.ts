// Interrupts while ksoftirqd is ready, and while it runs.
import { localSoftirqPending, mdelay, modTimer, TimerList, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet, interruptThatSchedules } from './_helpers.js';

export default function* (o: Oracle) {
  const a = new ActingTasklet(o, 'a');
  const b = new ActingTasklet(o, 'b');
  const interrupt = interruptThatSchedules(o, a);
  b.act = function* (run) {
    if (run < 13) taskletSchedule(b);
    else if (run === 13) {
      yield* o.hard(interrupt);
      o.log('in ksoftirqd after interrupt');
    }
  };
  taskletSchedule(b);
  o.log('raised');
  yield* o.hard(interrupt);
  o.log('interrupt served it');
  yield* o.sleep(10);
  o.variant('ksoftirqd ready while a task runs');
  b.act = () => {};
  taskletSchedule(b);
  o.log('pending', { bits: localSoftirqPending() });
  const timer = new TimerList(() => o.log('timer'));
  yield* o.base();
  modTimer(timer, o.j0 + 1);
  yield* mdelay(20);
  o.log('busy for 20 ms');
  yield* o.sleep(5);
}
