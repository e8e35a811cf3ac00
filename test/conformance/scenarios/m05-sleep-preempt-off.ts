// mutex_lock with preemption off.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { sleepsOnMutex } from './_sleeps.js';

export default function* (o: Oracle) {
  const sleeps = sleepsOnMutex(o);
  preemptDisable();
  yield* sleeps();
  yield* o.preemptEnable();
  o.log('end');
}
