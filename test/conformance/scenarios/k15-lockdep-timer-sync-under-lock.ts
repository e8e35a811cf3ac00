// timer_delete_sync under a lock that the timer function takes.
import {
  jiffies,
  modTimer,
  Spinlock,
  spinLockBh,
  spinUnlockBh,
  TimerList,
  timerDeleteSync,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const takes = takerOf(o, LA);
  const timer = new TimerList(function tm() {
    return takes();
  });
  modTimer(timer, jiffies() + 1);
  yield* o.sleep(20);
  yield* spinLockBh(LA);
  o.log('timer_delete_sync');
  yield* timerDeleteSync(timer);
  o.log('deleted');
  spinUnlockBh(LA);
}
