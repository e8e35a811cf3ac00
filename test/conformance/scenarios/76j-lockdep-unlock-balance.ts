// A spinlock is given back that nobody has.
import { Spinlock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

// biome-ignore lint/correctness/useYield: a program that takes no time is a program
export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  o.log('spin_unlock of a lock not held');
  spinUnlock(LA);
  o.log('after');
}
