// A line whose interrupts nobody wants is disabled at the 100,000th; a shared one is polled from then on.
import { freeIrq, IRQF_SHARED } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { aftermath, Spurious } from './_spurious.js';

const BURST = 500;
const MOST = 250_000;

function* variant(o: Oracle, v: string, flags: number) {
  o.variant(v);
  const A = o.line('A', 'edge', { quiet: true });
  const s = new Spurious();
  yield* o.request(A, { handler: s.sp_h, flags, name: 'sp', dev: s });
  const desc = o.machine.irqs.get(A.irq);
  let fired = 0;
  while (fired < MOST && !desc.disabled) {
    yield* o.hard(() => {
      for (let i = 0; i < BURST && !desc.disabled; i++) {
        A.handle();
        fired++;
      }
    });
  }
  yield* aftermath(o, A, s, fired);
  yield* freeIrq(A.irq, s);
}

export default function* (o: Oracle) {
  yield* variant(o, 'all-none', 0);
  yield* variant(o, 'all-none-shared', IRQF_SHARED);
}
