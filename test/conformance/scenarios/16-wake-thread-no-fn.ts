// IRQ_WAKE_THREAD without a thread function, and an answer that is none.
import { IRQ_WAKE_THREAD } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const d = o.device('d', IRQ_WAKE_THREAD);
  yield* o.request(A, { handler: d.handler, name: 'nothread', dev: d });
  yield* o.pulse(A);
  yield* o.pulse(A);
  o.log('bogus return value');
  d.returns = 77;
  yield* o.pulse(A);
  yield* o.free(A, d);
}
