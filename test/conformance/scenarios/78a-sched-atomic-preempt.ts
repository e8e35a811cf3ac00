// A task sleeps with preemption off.
import { preemptCount, preemptDisable, scheduleTimeoutUninterruptible } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  o.log('schedule_timeout with preempt off');
  preemptDisable();
  yield* scheduleTimeoutUninterruptible(2);
  o.log('after', { preempt_count: preemptCount() });
  o.log('end');
}
