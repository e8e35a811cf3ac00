// Works of two priorities and of two workqueues of one pool.
import {
  allocWorkqueue,
  destroyWorkqueue,
  preemptDisable,
  WQ_CPU_INTENSIVE,
  WQ_HIGHPRI,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const ci = allocWorkqueue('ci', WQ_CPU_INTENSIVE, 0);
  const hi = allocWorkqueue('hi', WQ_HIGHPRI, 0);
  const wq = allocWorkqueue('oracle', 0, 0);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  a.busy = 3;
  b.busy = 2;
  c.busy = 1;
  o.variant('plain then highpri');
  o.queueWork(wq, a);
  o.queueWork(hi, b);
  o.queueWork(wq, c);
  yield* o.sleep(30);
  o.variant('order of plain queues of one pool');
  for (const work of [a, b, c]) work.busy = 0;
  const { systemWq } = o.machine.workqueues;
  preemptDisable();
  o.queueWork(systemWq, a);
  o.queueWork(wq, b);
  o.queueWork(systemWq, c);
  yield* o.preemptEnable();
  yield* o.sleep(10);
  for (const queue of [ci, hi, wq]) yield* destroyWorkqueue(queue);
}
