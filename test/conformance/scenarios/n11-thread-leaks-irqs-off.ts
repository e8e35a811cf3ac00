// A thread function leaves interrupts off.
import { IRQ_HANDLED, localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inIrqThread } from './_contexts.js';

export default function* (o: Oracle) {
  const irqson_thread = () => {
    localIrqDisable();
    o.log('thread leaks irqs off');
    return IRQ_HANDLED;
  };
  yield* inIrqThread(o, irqson_thread);
  o.log('end');
}
