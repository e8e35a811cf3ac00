// down in a hard interrupt.
import type { Oracle } from '../vocabulary.js';
import { sleepsOnSemaphore } from './_sleeps.js';

export default function* (o: Oracle) {
  yield* o.hard(sleepsOnSemaphore(o));
  o.log('end');
}
