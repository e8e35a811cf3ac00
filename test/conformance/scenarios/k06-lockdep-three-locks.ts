// Three spin locks in a circle.
import { Spinlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { both } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  const LC = new Spinlock('LC');
  yield* both(o, 'LA, LB', LA, LB);
  yield* both(o, 'LB, LC', LB, LC);
  yield* both(o, 'LC, LA', LC, LA);
  o.log('end');
}
