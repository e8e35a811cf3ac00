// A tasklet leaves preemption off, in ksoftirqd.
import type { Oracle } from '../vocabulary.js';
import { inKsoftirqd } from './_contexts.js';
import { leaksCount } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inKsoftirqd(o, leaksCount(o));
  o.log('end');
}
