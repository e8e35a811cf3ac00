// Flows and states that are rare: untracked, no handler, no action.
import {
  disableIrq,
  genericHandleIrq,
  handleEdgeIrq,
  handleUntrackedIrq,
  irqSetHandler,
} from '../../../kernel/index.js';
import type { Flow, Oracle } from '../vocabulary.js';
import { errno, ret } from './_helpers.js';

const FLOWS: readonly Flow[] = ['level', 'fasteoi', 'simple'];

export default function* (o: Oracle) {
  o.variant('untracked');
  const U = o.line('A', 'percpu');
  irqSetHandler(U.irq, handleUntrackedIrq);
  const d = o.device('d');
  yield* o.request(U, { handler: d.handler, name: 'd', dev: d });
  yield* o.pulse(U);
  yield* disableIrq(U.irq);
  yield* o.pulse(U);
  yield* o.enableIrq(U);
  yield* o.sleep(5);
  yield* o.free(U, d);
  o.variant('bad');
  const A = o.line('A', 'edge');
  irqSetHandler(A.irq, null);
  o.state('no handler', A);
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  irqSetHandler(A.irq, handleEdgeIrq);
  o.state('handler', A);
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  yield* o.pulse(A);
  yield* o.free(A, d);
  o.variant('no action');
  yield* o.hard(() => A.handle());
  o.state('edge', A);
  for (const flow of FLOWS) {
    const line = o.line('A', flow);
    yield* o.hard(() => line.handle());
    o.state(flow, line);
  }
  o.variant('generic_handle_irq elsewhere');
  ret(
    o,
    'unknown',
    errno(() => genericHandleIrq(4000)),
  );
}
