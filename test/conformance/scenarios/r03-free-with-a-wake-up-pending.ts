// free_irq while the thread runs, or is yet to run, and has been woken again.
import { IRQ_WAKE_THREAD, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  for (const variant of ['woken-while-it-runs', 'woken-before-it-ran', 'edge-while-freeing']) {
    o.variant(variant);
    const A = o.line('A', 'edge');
    const d = o.device('d', IRQ_WAKE_THREAD);
    d.inThread = () => o.sleep(20);
    yield* o.request(A, { handler: d.handler, thread: d.thread, name: 'd', dev: d });
    const early = variant === 'woken-before-it-ran';
    if (early) preemptDisable();
    yield* o.pulse(A);
    if (!early) yield* o.sleep(4);
    if (variant !== 'edge-while-freeing') yield* o.pulse(A);
    if (early) {
      o.log('pulsed');
      yield* o.preemptEnable();
    }
    yield* o.free(A, d);
    yield* o.pulse(A);
    yield* o.sleep(40);
    o.log('result', { primary: d.primaryRuns, thread: d.threadRuns });
  }
}
