// max_active: how many items of a queue are under way at once.
import { allocWorkqueue, WQ_UNBOUND } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { queueAtOnce } from './_works.js';

const KINDS = [
  ['bound-max_active-1', 0, 1],
  ['bound-max_active-2', 0, 2],
  ['bound-max_active-default', 0, 0],
  ['unbound-max_active-1', WQ_UNBOUND, 1],
  ['unbound-max_active-2', WQ_UNBOUND, 2],
] as const;

export default function* (o: Oracle) {
  for (const [kind, flags, maxActive] of KINDS) {
    o.variant(`${kind}-sleep-20`);
    const wq = allocWorkqueue(kind, flags, maxActive);
    const works = ['a', 'b', 'c'].map((w, i) => Object.assign(o.work(w), { sleep: 20 + 8 * i }));
    yield* queueAtOnce(o, wq, works);
  }
}
