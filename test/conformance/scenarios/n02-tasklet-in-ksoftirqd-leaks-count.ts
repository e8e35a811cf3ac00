// A tasklet leaves preemption off, in ksoftirqd.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inKsoftirqd } from './_contexts.js';

export default function* (o: Oracle) {
  const leaks = () => {
    preemptDisable();
    o.log('leaks a count');
  };
  yield* inKsoftirqd(o, leaks);
  o.log('end');
}
