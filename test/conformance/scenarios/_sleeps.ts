// What may sleep, for the programs that do it where nobody may. The names are those of the recorded driver.
import { down, Mutex, mutexLock, mutexUnlock, Semaphore } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** @returns what takes a mutex, in whatever context it is called */
export function sleepsOnMutex(o: Oracle) {
  const MA = new Mutex('MA');
  return function* () {
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('slept');
  };
}

/** @returns what takes a semaphore, in whatever context it is called */
export function sleepsOnSemaphore(o: Oracle) {
  return function* () {
    yield* down(new Semaphore(1));
    o.log('down');
  };
}
