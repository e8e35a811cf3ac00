// What the programs on lockdep do with their locks. The names are those of the recorded driver.
import { type Mutex, mutexLock, mutexUnlock, type Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
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

/** Takes LB in a hard interrupt. */
export function* inHardirq(o: Oracle, LB: Spinlock) {
  yield* o.hard(function* () {
    yield* spinLock(LB);
    spinUnlock(LB);
    o.log('LB in hard interrupt');
  });
}

/** Takes one mutex inside another. */
export function* bothMutexes(first: Mutex, second: Mutex) {
  yield* mutexLock(first);
  yield* mutexLock(second);
  mutexUnlock(second);
  mutexUnlock(first);
}

/** @returns what a work does that takes the mutex MA */
export function workOn(o: Oracle, MA: Mutex) {
  return function* () {
    yield* mutexLock(MA);
    o.log('work has MA');
    mutexUnlock(MA);
  };
}
