// A work item that hogs its CPU does not keep the next one from starting.
import { allocWorkqueue } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { queueAtOnce } from './_works.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('plain', 0, 0);
  for (const busy of [1500, 30]) {
    o.variant(`bound-first-busy-${busy}ms`);
    const works = ['a', 'b'].map((w) => Object.assign(o.work(w), { busy }));
    yield* queueAtOnce(o, wq, works);
  }
}
