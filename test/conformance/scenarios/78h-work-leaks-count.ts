// A work function leaves preemption off.
import { flushWork, preemptDisable, scheduleWork, Work } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const work = new Work(function work_leak_fn() {
    o.log('work leaks preempt_count');
    preemptDisable();
  });
  scheduleWork(work);
  yield* flushWork(work);
  yield* o.sleep(50);
  o.log('end');
}
