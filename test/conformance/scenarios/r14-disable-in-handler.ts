// The handler disables its line, the thread enables it again.
import { disableIrqNosync, IRQ_WAKE_THREAD, IRQF_ONESHOT } from '../../../kernel/index.js';
import type { Flow, Oracle } from '../vocabulary.js';

const FLOWS: readonly Flow[] = ['edge', 'level', 'fasteoi', 'simple'];

export default function* (o: Oracle) {
  for (const flow of FLOWS) {
    o.variant(flow);
    const A = o.line('A', flow);
    const d = o.device('d', IRQ_WAKE_THREAD);
    d.inHandler = (run) => {
      if (run !== 1) return;
      disableIrqNosync(A.irq);
      o.state('in handler', A);
    };
    d.inThread = (run) =>
      (function* () {
        if (run !== 1) return;
        yield* o.enableIrq(A);
        o.state('in thread', A);
      })();
    const flags = flow === 'simple' ? 0 : IRQF_ONESHOT;
    yield* o.request(A, { handler: d.handler, thread: d.thread, flags, name: 'd', dev: d });
    yield* o.pulse(A);
    yield* o.sleep(10);
    o.state('end', A);
    yield* o.pulse(A);
    yield* o.sleep(10);
    yield* o.free(A, d);
  }
}
