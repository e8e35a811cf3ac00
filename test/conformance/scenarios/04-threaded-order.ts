// Primary handler, the softirqs that it raised, interrupt thread, interrupted task; and what each of them waits for.
import {
  IRQ_WAKE_THREAD,
  localBhDisable,
  localIrqDisable,
  preemptDisable,
  Tasklet,
  taskletHiSchedule,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';

function* fire(o: Oracle, A: Line, variant: string, before: () => void) {
  o.variant(variant);
  before();
  o.log('task.before_fire');
  yield* o.pulse(A);
}

export default function* (o: Oracle) {
  const n = new Tasklet(() => o.log('tasklet'));
  const h = new Tasklet(() => o.log('tasklet_hi'));
  const A = o.line('A', 'edge');
  const d = o.device('A', IRQ_WAKE_THREAD);
  d.inHandler = () => {
    taskletSchedule(n);
    taskletHiSchedule(h);
    o.log('primary.scheduled_tasklets');
  };
  d.inThread = function* (run) {
    if (run > 1) return;
    taskletSchedule(n);
    yield* o.point();
    o.log('thread.scheduled_tasklet');
    localBhDisable();
    taskletHiSchedule(h);
    o.log('thread.bh_off_scheduled_hi');
    yield* o.localBhEnable();
    o.log('thread.bh_on');
  };
  yield* o.request(A, { handler: d.handler, thread: d.thread, name: 'demo', dev: d });
  yield* fire(o, A, 'irqs-on', () => {});
  o.log('task.after_fire');
  yield* o.sleep(10);
  yield* fire(o, A, 'preempt-off', preemptDisable);
  o.log('task.after_fire_preempt_off');
  yield* o.preemptEnable();
  o.log('task.after_preempt_enable');
  yield* o.sleep(10);
  yield* fire(o, A, 'bh-off', localBhDisable);
  o.log('task.after_fire_bh_off');
  yield* o.localBhEnable();
  o.log('task.after_bh_enable');
  yield* o.sleep(10);
  yield* fire(o, A, 'irqs-off', localIrqDisable);
  o.log('task.after_fire_irqs_off');
  yield* o.localIrqEnable();
  o.log('task.after_irq_enable');
  yield* o.sleep(10);
  yield* o.free(A, d);
}
