// Interrupts of which only some are handled: how many make a line be disabled.
import { IRQ_HANDLED, IRQ_NONE } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

function* run(o: Oracle, variant: string, every: number, total: number, pause = 0) {
  o.variant(variant);
  const A = o.line('A', 'edge', { quiet: true });
  let calls = 0;
  const sp_h = () => (++calls % every === 0 ? IRQ_HANDLED : IRQ_NONE);
  yield* o.request(A, { handler: sp_h, name: 'sp', dev: 'd' });
  const desc = o.machine.irqs.get(A.irq);
  for (let i = 0; i < total && !desc.disabled; i += 500) {
    yield* o.hard(() => {
      for (let n = 0; n < 500; n++) A.handle();
    });
    if (pause > 0) yield* o.sleep(pause);
  }
  o.log('spurious', { at: 'end', calls, count: desc.irqCount, unhandled: desc.irqsUnhandled });
  o.state('end', A);
  yield* o.free(A, 'd');
}

export default function* (o: Oracle) {
  yield* run(o, 'one in 1000 handled', 1000, 200_000);
  yield* run(o, 'one in 1001 handled', 1001, 200_000);
  yield* run(o, 'one in 10 handled', 10, 200_000);
  yield* run(o, 'a tenth of a second apart', 2 ** 30, 10_000, 200);
}
