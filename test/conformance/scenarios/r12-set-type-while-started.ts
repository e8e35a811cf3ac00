// The trigger type of a line is changed while its handler is there.
import {
  disableIrq,
  IRQ_TYPE_EDGE_BOTH,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQ_TYPE_NONE,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
  irqGetTriggerType,
  irqSetIrqType,
} from '../../../kernel/index.js';
import { ChipFlag, type Oracle } from '../vocabulary.js';
import { errno, ret } from './_helpers.js';

const KINDS = [0, ChipFlag.setTypeMasked, ChipFlag.noSetType];

export default function* (o: Oracle) {
  for (const [v, chipflags] of KINDS.entries()) {
    o.log('variant', { v });
    const A = o.line('A', 'edge', { chipflags });
    const d = o.device('d');
    const set = function* (ev: string, type: number) {
      const result = errno(() => irqSetIrqType(A.irq, type));
      yield* o.point();
      ret(o, ev, result);
    };
    yield* o.request(A, { handler: d.handler, flags: IRQF_TRIGGER_RISING, name: 'd', dev: d });
    yield* set('set falling', IRQ_TYPE_EDGE_FALLING);
    yield* set('set falling', IRQ_TYPE_EDGE_FALLING);
    yield* set('set high', IRQ_TYPE_LEVEL_HIGH);
    const t = irqGetTriggerType(A.irq);
    o.log('type', { t, level: Number((t & 12) !== 0) });
    yield* disableIrq(A.irq);
    yield* o.pulse(A);
    yield* set('set both, disabled', IRQ_TYPE_EDGE_BOTH);
    yield* o.enableIrq(A);
    yield* set('set none', IRQ_TYPE_NONE);
    o.log('type', { t: irqGetTriggerType(A.irq) });
    yield* o.free(A, d);
    yield* o.request(A, { handler: d.handler, flags: IRQF_TRIGGER_HIGH, name: 'd', dev: d });
    yield* o.free(A, d);
  }
}
