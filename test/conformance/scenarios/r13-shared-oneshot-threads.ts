// Two threads of a shared level line: it stays masked until the last of those that were woken is done.
import {
  IRQ_HANDLED,
  IRQ_NONE,
  IRQ_WAKE_THREAD,
  IRQF_ONESHOT,
  IRQF_SHARED,
  irqWakeThread,
} from '../../../kernel/index.js';
import type { Device, Line, Oracle } from '../vocabulary.js';

function* variants(o: Oracle, A: Line, d: Device, e: Device) {
  o.variant('both');
  yield* o.pulse(A);
  o.state('after pulse', A);
  yield* o.sleep(12);
  o.state('first ended', A);
  yield* o.pulse(A);
  yield* o.sleep(40);
  o.state('both ended', A);
  o.variant('one');
  e.returns = IRQ_HANDLED;
  yield* o.pulse(A);
  yield* o.sleep(4);
  o.state('after pulse', A);
  yield* o.sleep(40);
  o.variant('none');
  d.returns = IRQ_NONE;
  yield* o.pulse(A);
  o.state('after pulse', A);
  o.variant('wake by hand');
  irqWakeThread(A.irq, d);
  yield* o.sleep(20);
}

export default function* (o: Oracle) {
  const A = o.line('A', 'level');
  const d = o.device('d', IRQ_WAKE_THREAD);
  const e = o.device('e', IRQ_WAKE_THREAD);
  d.inThread = () => o.sleep(8);
  e.inThread = () => o.sleep(24);
  for (const device of [d, e]) {
    const { handler, thread, name } = device;
    yield* o.request(A, { handler, thread, flags: IRQF_ONESHOT | IRQF_SHARED, name, dev: device });
  }
  yield* variants(o, A, d, e);
  o.variant('free one while its thread sleeps');
  d.returns = IRQ_WAKE_THREAD;
  e.returns = IRQ_WAKE_THREAD;
  yield* o.pulse(A);
  yield* o.sleep(4);
  yield* o.free(A, e);
  o.state('e freed', A);
  yield* o.sleep(20);
  yield* o.free(A, d);
}
