// schedule with preemption off, twice.
import { preemptDisable, schedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  for (let i = 0; i < 2; i++) {
    preemptDisable();
    yield* schedule();
    o.log('yielded');
  }
}
