// disable_irq nests; one enable_irq too many warns.
import { disableIrq, enableIrq } from '../../../kernel/index.js';
import type { Device, Line, Oracle } from '../vocabulary.js';

function* nested(o: Oracle, A: Line) {
  for (const at of ['disable1', 'disable2']) {
    yield* disableIrq(A.irq);
    o.state(at, A);
  }
  yield* o.pulse(A);
  for (const at of ['enable1', 'enable2']) {
    yield* o.enableIrq(A);
    o.state(at, A);
    yield* o.sleep(10);
  }
}

function* unbalanced(o: Oracle, A: Line, d: Device) {
  o.log('unbalanced enable_irq');
  enableIrq(A.irq);
  o.state('unbalanced-enable', A);
  yield* o.pulse(A);
  yield* disableIrq(A.irq);
  o.state('disable-after-unbalanced', A);
  yield* o.free(A, d);
  o.state('freed-while-disabled', A);
}

function* withoutAction(o: Oracle, A: Line) {
  o.log('disable_irq on a line without action');
  yield* disableIrq(A.irq);
  o.state('disable-noaction', A);
  o.log('enable_irq on a line without action');
  yield* o.enableIrq(A);
  o.state('enable-noaction', A);
  o.log('enable_irq again');
  yield* o.enableIrq(A);
  o.state('enable-noaction2', A);
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const d = o.device('d');
  const request = { handler: d.handler, name: 'd', dev: d };
  o.state('before-request', A);
  yield* o.request(A, request);
  o.state('requested', A);
  yield* nested(o, A);
  yield* unbalanced(o, A, d);
  yield* o.request(A, request);
  o.state('re-requested', A);
  yield* o.free(A, d);
  yield* withoutAction(o, A);
}
