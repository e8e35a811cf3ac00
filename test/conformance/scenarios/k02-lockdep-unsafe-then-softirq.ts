// A lock taken with bottom halves on, then in a tasklet.
import { Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* spinLock(LA);
  spinUnlock(LA);
  o.log('now a tasklet');
  yield* inTasklet(o, takerOf(o, LA));
  o.log('end');
}
