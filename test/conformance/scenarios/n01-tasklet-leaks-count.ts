// A tasklet leaves preemption off.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';

export default function* (o: Oracle) {
  const leaks = () => {
    preemptDisable();
    o.log('leaks a count');
  };
  yield* inTasklet(o, leaks);
  o.log('end');
}
