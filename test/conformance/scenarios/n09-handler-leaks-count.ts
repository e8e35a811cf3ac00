// A handler leaves preemption off.
import { IRQ_HANDLED, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const leak_h = () => {
    preemptDisable();
    o.log('handler leaks');
    return IRQ_HANDLED;
  };
  const A = o.line('A', 'edge');
  yield* o.request(A, { handler: leak_h, name: 'd', dev: 'd' });
  yield* o.pulse(A);
  o.log('after');
  yield* o.preemptEnable();
  o.log('repaired');
}
