// might_sleep() with a spinlock held.
import { mightSleep, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  o.log('msleep under spin_lock: might_sleep()');
  yield* spinLock(LA);
  mightSleep('might_sleep');
  o.log('after might_sleep');
  spinUnlock(LA);
}
