// A work sleeps with preemption off.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inWork } from './_contexts.js';

export default function* (o: Oracle) {
  yield* inWork(o, function* () {
    preemptDisable();
    yield* o.sleep(2);
    o.log('slept');
  });
  o.log('end');
}
