// An edge kept for a disabled line, delivered again by the chip or by software, and what takes it back.
import { disableIrq, disableIrqNosync, enableIrq, localBhDisable, localIrqDisable } from '../../../kernel/index.js';
import { ChipFlag, type Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  for (const variant of ['retrigger', 'no retrigger']) {
    o.variant(variant);
    const A = o.line('A', 'edge', { chipflags: variant === 'retrigger' ? 0 : ChipFlag.noRetrigger });
    const d = o.device('d');
    yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
    yield* disableIrq(A.irq);
    yield* o.pulse(A);
    o.log('enable with irqs off');
    localIrqDisable();
    enableIrq(A.irq);
    o.log('enabled');
    yield* o.localIrqEnable();
    yield* o.sleep(10);
    o.variant('enable, then disable before it came');
    yield* disableIrq(A.irq);
    yield* o.pulse(A);
    localBhDisable();
    localIrqDisable();
    enableIrq(A.irq);
    disableIrqNosync(A.irq);
    yield* o.localIrqEnable();
    yield* o.localBhEnable();
    o.state('disabled again', A);
    yield* o.sleep(10);
    yield* o.enableIrq(A);
    yield* o.sleep(10);
    o.variant('free with one pending');
    yield* disableIrq(A.irq);
    yield* o.pulse(A);
    yield* o.free(A, d);
    yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
    yield* o.sleep(10);
    yield* o.free(A, d);
    o.log('result', { runs: d.primaryRuns });
  }
}
