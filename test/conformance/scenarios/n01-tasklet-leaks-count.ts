// A tasklet leaves preemption off.
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { leaksCount } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inTasklet(o, leaksCount(o));
  o.log('end');
}
