// A disabled line of each flow: two edges arrive, then it is enabled again.
import { disableIrq, IRQ_DISABLE_UNLAZY, irqSetStatusFlags } from '../../../kernel/index.js';
import { ChipFlag, type Flow, type LineOptions, type Oracle } from '../vocabulary.js';

const FLOWS: readonly Flow[] = ['edge', 'level', 'fasteoi', 'simple', 'percpu'];

function* flows(o: Oracle, kind: string, options: LineOptions, unlazy = false) {
  for (const flow of FLOWS) {
    o.variant(flow, { kind });
    const A = o.line('A', flow, options);
    const d = o.device('d');
    if (unlazy) irqSetStatusFlags(A.irq, IRQ_DISABLE_UNLAZY);
    yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
    yield* disableIrq(A.irq);
    o.state('disabled', A);
    yield* o.pulse(A);
    yield* o.pulse(A);
    o.state('two edges', A);
    yield* o.enableIrq(A);
    yield* o.sleep(10);
    o.state('enabled', A);
    yield* o.free(A, d);
    o.state('freed', A);
  }
}

export default function* (o: Oracle) {
  yield* flows(o, 'lazy', {});
  yield* flows(o, 'lazy no retrigger', { chipflags: ChipFlag.noRetrigger });
  yield* flows(o, 'unlazy', {}, true);
  yield* flows(o, 'latching', { latching: true });
  yield* flows(o, 'enable/disable', { chipflags: ChipFlag.enableDisable });
}
