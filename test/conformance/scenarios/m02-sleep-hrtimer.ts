// mutex_lock in the function of an hrtimer.
import {
  HRTIMER_MODE_REL_HARD,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerStart,
  Mutex,
  mutexLock,
  mutexUnlock,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  const sleeps = function* () {
    yield* mutexLock(MA);
    mutexUnlock(MA);
    o.log('slept');
  };
  const timer = new Hrtimer(function* ht_fn() {
    yield* sleeps();
    return HRTIMER_NORESTART;
  }, HRTIMER_MODE_REL_HARD);
  hrtimerStart(timer, 1_000_000, HRTIMER_MODE_REL_HARD);
  yield* o.sleep(20);
}
