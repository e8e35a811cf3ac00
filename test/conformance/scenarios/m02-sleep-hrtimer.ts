// mutex_lock in the function of an hrtimer.
import { HRTIMER_MODE_REL_HARD, HRTIMER_NORESTART, Hrtimer, hrtimerStart } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { sleepsOnMutex } from './_sleeps.js';

export default function* (o: Oracle) {
  const sleeps = sleepsOnMutex(o);
  const timer = new Hrtimer(function* ht_fn() {
    yield* sleeps();
    return HRTIMER_NORESTART;
  }, HRTIMER_MODE_REL_HARD);
  hrtimerStart(timer, 1_000_000, HRTIMER_MODE_REL_HARD);
  yield* o.sleep(20);
}
