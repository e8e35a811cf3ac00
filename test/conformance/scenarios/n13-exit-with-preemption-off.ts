// A task exits with preemption off.
import { preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTask } from './_contexts.js';

export default function* (o: Oracle) {
  yield* inTask(o, 'bad', () => {
    preemptDisable();
    o.log('exits');
  });
  o.log('end');
}
