// Bottom halves off and on again, as the locking calls need it.
import { thisCpu } from '../sched/current.js';
import { SOFTIRQ_DISABLE_OFFSET } from '../sched/preempt.js';

export function localBhDisable(): void {
  thisCpu().preemptCount += SOFTIRQ_DISABLE_OFFSET;
}

export function localBhEnable(): void {
  thisCpu().preemptCount -= SOFTIRQ_DISABLE_OFFSET;
}
