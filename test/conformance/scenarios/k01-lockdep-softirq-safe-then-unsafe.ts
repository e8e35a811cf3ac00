// A lock taken in a tasklet, then with bottom halves on.
import { Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* inTasklet(o, takerOf(o, LA));
  o.log('task, bottom halves on');
  yield* spinLock(LA);
  spinUnlock(LA);
  o.log('end');
}
