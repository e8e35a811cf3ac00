// mutex_lock under spin_lock_bh.
import { Spinlock, spinLockBh, spinUnlockBh } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { sleepsOnMutex } from './_sleeps.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const sleeps = sleepsOnMutex(o);
  yield* spinLockBh(LA);
  yield* sleeps();
  spinUnlockBh(LA);
  yield* o.point();
  o.log('end');
}
