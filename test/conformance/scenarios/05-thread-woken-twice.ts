// Wake-ups of an interrupt thread coalesce.
import { IRQ_WAKE_THREAD, irqWakeThread, preemptDisable } from '../../../kernel/index.js';
import type { Device, Oracle } from '../vocabulary.js';

function begin(o: Oracle, d: Device, variant: string): void {
  d.primaryRuns = 0;
  d.threadRuns = 0;
  o.variant(variant);
}

function result(o: Oracle, d: Device): void {
  o.log('result', { primary: d.primaryRuns, thread: d.threadRuns });
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const d = o.device('A', IRQ_WAKE_THREAD);
  yield* o.request(A, { handler: d.handler, thread: d.thread, name: 'demo', dev: d });

  begin(o, d, 'twice-before-thread-runs');
  preemptDisable();
  yield* o.pulse(A);
  yield* o.pulse(A);
  o.log('task.both_fired');
  yield* o.preemptEnable();
  yield* o.sleep(10);
  result(o, d);

  begin(o, d, 'three-while-thread-sleeps');
  d.inThread = () => o.sleep(20);
  yield* o.pulse(A);
  yield* o.sleep(8);
  for (let i = 0; i < 3; i++) yield* o.pulse(A);
  o.log('task.three_fired');
  yield* o.sleep(100);
  result(o, d);

  begin(o, d, 'irq_wake_thread-api');
  d.inThread = () => undefined;
  irqWakeThread(A.irq, d);
  yield* o.sleep(8);
  irqWakeThread(A.irq, 'unknown');
  yield* o.sleep(8);
  result(o, d);
  yield* o.free(A, d);
}
