// A timer function leaves bottom halves off.
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';
import { leaksBh } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inTimer(o, leaksBh(o));
  o.log('end');
}
