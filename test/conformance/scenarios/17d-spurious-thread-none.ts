// A line that only wakes its thread is judged by the thread's answers, one interrupt later.
import { freeIrq, IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, type IrqReturn } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { aftermath, Spurious } from './_spurious.js';

function* variant(o: Oracle, v: string, answer: IrqReturn, most: number) {
  o.variant(v);
  const A = o.line('A', 'edge', { quiet: true });
  const s = new Spurious();
  s.answer = IRQ_WAKE_THREAD;
  const sp_t = (): IrqReturn => {
    s.threadCalls++;
    return answer;
  };
  yield* o.request(A, { handler: s.sp_h, thread: sp_t, name: 'sp', dev: s });
  const desc = o.machine.irqs.get(A.irq);
  let fired = 0;
  for (; fired < most && !desc.disabled; fired++) yield* o.hard(() => A.handle());
  yield* aftermath(o, A, s, fired);
  yield* freeIrq(A.irq, s);
}

export default function* (o: Oracle) {
  yield* variant(o, 'wake-thread-returns-none', IRQ_NONE, 250_000);
  yield* variant(o, 'wake-thread-returns-handled', IRQ_HANDLED, 120_000);
}
