// A thread function leaves interrupts off.
import { IRQ_HANDLED, IRQ_WAKE_THREAD, localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const irqson_thread = () => {
    localIrqDisable();
    o.log('thread leaks irqs off');
    return IRQ_HANDLED;
  };
  const A = o.line('A', 'edge');
  yield* o.request(A, { handler: () => IRQ_WAKE_THREAD, thread: irqson_thread, name: 'd', dev: 'd' });
  yield* o.pulse(A);
  o.log('after');
  yield* o.sleep(5);
  o.log('end');
}
