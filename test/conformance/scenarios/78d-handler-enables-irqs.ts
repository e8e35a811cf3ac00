// A handler enables interrupts.
import { freeIrq, IRQ_HANDLED, localIrqEnable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const en_h = () => {
    o.log('handler enables irqs');
    localIrqEnable();
    return IRQ_HANDLED;
  };
  yield* o.request(A, { handler: en_h, log: false });
  yield* o.pulse(A);
  o.log('after');
  yield* freeIrq(A.irq);
}
