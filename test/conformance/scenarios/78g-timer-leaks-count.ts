// A timer function leaves preemption off.
import { jiffies, modTimer, preemptDisable, TimerList } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const timer = new TimerList(function tmr_leak_fn() {
    o.log('timer leaks preempt_count');
    preemptDisable();
  });
  modTimer(timer, jiffies() + 1);
  yield* o.sleep(20);
  o.log('end');
}
