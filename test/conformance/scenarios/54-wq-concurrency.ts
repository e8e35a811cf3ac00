// A second worker starts when the first one sleeps, not while it is busy.
import { allocWorkqueue, type Workqueue, WQ_HIGHPRI } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { queueAtOnce } from './_works.js';

function* variant(o: Oracle, name: string, wq: Workqueue, times: readonly { busy: number; sleep: number }[]) {
  o.variant(name);
  const works = times.map((time, i) => Object.assign(o.work(i === 0 ? 'a' : 'b'), time));
  yield* queueAtOnce(o, wq, works);
}

export default function* (o: Oracle) {
  const asleep = [
    { busy: 0, sleep: 20 },
    { busy: 0, sleep: 28 },
  ];
  const busy = [
    { busy: 2, sleep: 0 },
    { busy: 2, sleep: 0 },
  ];
  const wq = allocWorkqueue('plain', 0, 0);
  yield* variant(o, 'bound-first-sleeps', wq, asleep);
  yield* variant(o, 'bound-first-busy-2ms', wq, busy);
  yield* variant(o, 'system_wq-sleep', o.machine.workqueues.systemWq, asleep);
  yield* variant(o, 'highpri-first-sleeps', allocWorkqueue('highpri', WQ_HIGHPRI, 0), asleep);
}
