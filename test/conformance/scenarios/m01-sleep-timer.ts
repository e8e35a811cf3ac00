// mutex_lock in a timer function.
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';
import { sleepsOnMutex } from './_sleeps.js';

export default function* (o: Oracle) {
  yield* inTimer(o, sleepsOnMutex(o));
}
