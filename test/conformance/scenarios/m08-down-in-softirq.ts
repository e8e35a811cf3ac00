// down in ksoftirqd.
import type { Oracle } from '../vocabulary.js';
import { inKsoftirqd } from './_contexts.js';
import { sleepsOnSemaphore } from './_sleeps.js';

export default function* (o: Oracle) {
  yield* inKsoftirqd(o, sleepsOnSemaphore(o));
  o.log('end');
}
