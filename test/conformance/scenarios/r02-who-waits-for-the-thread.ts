// Who waits for the thread of a line: synchronize_irq, disable_irq and free_irq do, synchronize_hardirq does not.
import {
  disableIrq,
  disableIrqNosync,
  type Effect,
  IRQ_WAKE_THREAD,
  IRQF_ONESHOT,
  synchronizeHardirq,
  synchronizeIrq,
} from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';

function* waiter(o: Oracle, comm: string, t: string, wait: () => Effect<unknown>) {
  yield* o.thread(comm, function* () {
    o.log('sync.begin', { t });
    yield* wait();
    o.log('sync.end', { t });
  });
}

function* enabledWhileItRuns(o: Oracle, A: Line) {
  o.variant('enable-while-thread-runs');
  yield* o.enableIrq(A);
  yield* o.pulse(A);
  yield* o.sleep(4);
  disableIrqNosync(A.irq);
  o.state('nosync', A);
  yield* o.enableIrq(A);
  o.state('enabled again', A);
  yield* o.sleep(60);
  o.variant('disabled-when-the-thread-ends');
  yield* o.pulse(A);
  yield* o.sleep(4);
  disableIrqNosync(A.irq);
  yield* o.sleep(60);
  o.state('thread ended', A);
  yield* o.enableIrq(A);
  yield* o.sleep(40);
}

export default function* (o: Oracle) {
  const A = o.line('A', 'level');
  const d = o.device('d', IRQ_WAKE_THREAD);
  d.inThread = () => o.sleep(20);
  yield* o.request(A, { handler: d.handler, thread: d.thread, flags: IRQF_ONESHOT, name: 'd', dev: d });
  o.variant('oneshot-level');
  yield* o.pulse(A);
  yield* o.sleep(4);
  yield* waiter(o, 't1', 'hard', () => synchronizeHardirq(A.irq));
  yield* waiter(o, 't2', 'sync', () => synchronizeIrq(A.irq));
  yield* waiter(o, 't3', 'disable', () => disableIrq(A.irq));
  o.log('all');
  o.state('waiting', A);
  yield* o.sleep(60);
  o.state('ended', A);
  yield* enabledWhileItRuns(o, A);
  o.variant('free-waits');
  yield* o.pulse(A);
  yield* o.sleep(4);
  yield* waiter(o, 't4', 'sync', () => synchronizeIrq(A.irq));
  yield* o.free(A, d);
  yield* o.sleep(40);
}
