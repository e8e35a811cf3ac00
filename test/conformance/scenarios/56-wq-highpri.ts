// Which workers run the items of which kind of queue, under which name and with which nice value.
import {
  allocWorkqueue,
  flushWork,
  preemptDisable,
  WQ_FREEZABLE,
  WQ_HIGHPRI,
  WQ_MEM_RECLAIM,
  WQ_UNBOUND,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const KINDS = [
  ['a', 0],
  ['b', WQ_HIGHPRI],
  ['c', WQ_UNBOUND],
  ['d', WQ_UNBOUND | WQ_HIGHPRI],
  ['e', WQ_MEM_RECLAIM],
  ['f', WQ_FREEZABLE],
] as const;

export default function* (o: Oracle) {
  for (const [w, flags] of KINDS) {
    const work = o.work(w);
    o.queueWork(allocWorkqueue('oracle_%s', flags, 0, w), work);
    yield* flushWork(work);
  }
  o.variant('normal-queued-first-then-highpri,both-runnable');
  const a = o.work('a');
  const b = o.work('b');
  const plain = allocWorkqueue('plain', 0, 0);
  const highpri = allocWorkqueue('highpri', WQ_HIGHPRI, 0);
  preemptDisable();
  o.queueWork(plain, a);
  o.queueWork(highpri, b);
  yield* o.preemptEnable();
  o.log('task.queued');
  yield* flushWork(a);
  yield* flushWork(b);
}
