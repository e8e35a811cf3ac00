// System workqueues are flushed.
import { flushScheduledWork, flushWorkqueue } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  yield* flushScheduledWork();
  o.log('flushed');
  yield* flushWorkqueue(o.machine.workqueues.systemUnboundWq);
  o.log('flushed');
}
