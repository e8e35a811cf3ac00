// A thread function leaves preemption off.
import { IRQ_HANDLED, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inIrqThread } from './_contexts.js';

export default function* (o: Oracle) {
  const leak_thread = () => {
    preemptDisable();
    o.log('thread leaks');
    return IRQ_HANDLED;
  };
  yield* inIrqThread(o, leak_thread);
  o.log('end');
}
