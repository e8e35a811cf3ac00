// A line whose handler runs in its parent's thread.
import {
  disableIrq,
  handleNestedIrq,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_ONESHOT,
  irqSetNestedThread,
  irqSetParent,
  requestAnyContextIrq,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const B = o.line('B', 'simple');
  irqSetNestedThread(B.irq, true);
  irqSetParent(B.irq, A.irq);
  const d = o.device('parent', IRQ_WAKE_THREAD);
  const e = o.device('child');
  d.inThread = function* () {
    yield* handleNestedIrq(B.irq);
    o.log('parent after nested');
  };
  const nested_thread = () => {
    o.log('nested', { dev: 'child', run: ++e.threadRuns });
    return IRQ_HANDLED;
  };
  const edge = function* () {
    yield* o.pulse(A);
    yield* o.sleep(4);
  };
  yield* o.request(A, { handler: d.handler, thread: d.thread, flags: IRQF_ONESHOT, name: 'parent', dev: d });
  o.variant('no-action');
  yield* edge();
  o.variant('request');
  yield* o.request(B, { handler: nested_thread, name: 'plain', dev: e });
  yield* o.request(B, { handler: e.handler, thread: nested_thread, name: 'child', dev: e });
  o.state('requested', B);
  yield* edge();
  o.variant('disabled');
  yield* disableIrq(B.irq);
  o.state('disabled', B);
  yield* edge();
  yield* o.enableIrq(B);
  o.state('enabled', B);
  yield* o.sleep(10);
  o.log('result', { parent: d.primaryRuns, threads: d.threadRuns, child: e.threadRuns });
  yield* o.free(B, e);
  o.variant('any context');
  ret(o, 'request_any_context_irq', yield* requestAnyContextIrq(B.irq, nested_thread, 0, 'any', e));
  yield* edge();
  yield* o.free(B, e);
  yield* o.free(A, d);
}
