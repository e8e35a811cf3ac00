// Two spin locks in both orders.
import { Spinlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { both } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  yield* both(o, 'LA, LB', LA, LB);
  yield* both(o, 'LB, LA', LB, LA);
  o.log('end');
}
