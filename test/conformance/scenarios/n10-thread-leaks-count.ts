// A thread function leaves preemption off.
import { IRQ_HANDLED, IRQ_WAKE_THREAD, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const leak_thread = () => {
    preemptDisable();
    o.log('thread leaks');
    return IRQ_HANDLED;
  };
  const A = o.line('A', 'edge');
  yield* o.request(A, { handler: () => IRQ_WAKE_THREAD, thread: leak_thread, name: 'd', dev: 'd' });
  yield* o.pulse(A);
  o.log('after');
  yield* o.sleep(5);
  o.log('end');
}
