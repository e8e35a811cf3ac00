// What the programs on lockdep do with spinlocks. The names are those of the recorded driver.
import { type Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** Takes one lock inside another. */
export function* both(o: Oracle, log: string, first: Spinlock, second: Spinlock) {
  yield* spinLock(first);
  yield* spinLock(second);
  o.log(log);
  spinUnlock(second);
  spinUnlock(first);
}

/** @returns what takes the lock LA, in whatever context it is called */
export function takerOf(o: Oracle, LA: Spinlock) {
  return function* takes() {
    o.log('takes LA');
    yield* spinLock(LA);
    spinUnlock(LA);
  };
}
