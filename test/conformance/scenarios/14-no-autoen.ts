// A line that its request does not enable.
import { IRQ_NOAUTOEN, IRQF_NO_AUTOEN, IRQF_SHARED, irqSetStatusFlags } from '../../../kernel/index.js';
import { ChipFlag, type Line, type Oracle } from '../vocabulary.js';

function* fire(o: Oracle, A: Line) {
  o.log('fire');
  yield* o.pulse(A);
}

function* enable(o: Oracle, A: Line) {
  o.log('enable_irq');
  yield* o.enableIrq(A);
  o.state('enabled', A);
  yield* o.sleep(10);
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge', { chipflags: ChipFlag.startupShutdown });
  o.variant('IRQF_NO_AUTOEN');
  const d = o.device('d');
  yield* o.request(A, { handler: d.handler, flags: IRQF_NO_AUTOEN, name: 'd', dev: d });
  o.state('requested', A);
  yield* fire(o, A);
  yield* enable(o, A);
  yield* fire(o, A);
  o.log('result', { runs: d.primaryRuns });
  yield* o.free(A, d);

  o.variant('IRQ_NOAUTOEN-status-flag');
  irqSetStatusFlags(A.irq, IRQ_NOAUTOEN);
  d.primaryRuns = 0;
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  o.state('requested', A);
  yield* enable(o, A);
  yield* fire(o, A);
  yield* o.free(A, d);
  const ret = yield* o.request(A, { handler: d.handler, flags: IRQF_SHARED, name: 'd', dev: d, log: false });
  o.log('request-shared', { ret });
  o.state('requested-shared', A);
  yield* o.free(A, d);
}
