// A chained handler dispatches to another line.
import {
  afterOutcome,
  chainedIrqEnter,
  chainedIrqExit,
  disableIrq,
  type IrqChip,
  irqSetChainedHandler,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** Exact: the property is there, without a value. */
const WITHOUT_EOI = { eoi: undefined } as unknown as Partial<IrqChip>;

export default function* (o: Oracle) {
  for (const variant of ['eoi', 'no eoi']) {
    o.variant(variant);
    const A = o.line('A', 'fasteoi', variant === 'eoi' ? {} : { chip: WITHOUT_EOI });
    const B = o.line('B', 'edge');
    const d = o.device('d');
    irqSetChainedHandler(A.irq, (desc) => {
      chainedIrqEnter(desc);
      o.log('chained');
      return afterOutcome(B.handle(), () => chainedIrqExit(desc));
    });
    o.state('chained', A);
    yield* o.request(A, { handler: d.handler, name: 'parent', dev: 'e' });
    o.log('child without action');
    yield* o.pulse(A);
    yield* o.request(B, { handler: d.handler, name: 'd', dev: d });
    yield* o.pulse(A);
    yield* disableIrq(B.irq);
    yield* o.pulse(A);
    yield* o.enableIrq(B);
    o.log('parent disabled');
    yield* disableIrq(A.irq);
    o.state('disabled', A);
    yield* o.pulse(A);
    yield* o.enableIrq(A);
    yield* o.free(B, d);
    irqSetChainedHandler(A.irq, null);
    o.state('removed', A);
    yield* o.pulse(A);
  }
}
