// A task exits with preemption off.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  yield* o.thread('bad', () => {
    preemptDisable();
    o.log('exits');
  });
  yield* o.sleep(5);
  o.log('end');
}
