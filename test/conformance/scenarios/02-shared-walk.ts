// A shared line: every handler runs, in the order of registration, whatever the others return.
import { freeIrq, IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, IRQF_SHARED } from '../../../kernel/index.js';
import type { Device, Line, Oracle } from '../vocabulary.js';

function* fire(o: Oracle, A: Line, name: string, ...returns: (readonly [Device, number])[]) {
  for (const [device, ret] of returns) device.returns = ret;
  o.log('fire', { case: name });
  yield* o.pulse(A);
  yield* o.sleep(8);
}

function* dup(o: Oracle, A: Line, a: Device) {
  for (const [name, which] of [
    ['dup1', 'first'],
    ['dup2', 'second'],
  ] as const) {
    yield* o.request(A, { handler: a.handler, flags: IRQF_SHARED, name, dev: a, log: { dev: `a ${which}` } });
  }
  yield* fire(o, A, 'dup');
  yield* o.free(A, a);
  yield* o.free(A, a);
  o.log('free_third_time');
  const name = yield* freeIrq(A.irq, a);
  o.log('free_irq', { line: 'A', name: name ?? '(null)' });
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const [a, b, c] = [o.device('a'), o.device('b'), o.device('c')];
  for (const dev of [a, b, c]) {
    const thread = dev === b ? b.thread : null;
    yield* o.request(A, {
      handler: dev.handler,
      thread,
      flags: IRQF_SHARED,
      name: dev.name,
      dev,
      log: { dev: dev.name },
    });
  }
  yield* fire(o, A, 'all-handled');
  yield* fire(o, A, 'first-handled', [b, IRQ_NONE], [c, IRQ_NONE]);
  yield* fire(o, A, 'none-wake-handled', [a, IRQ_NONE], [b, IRQ_WAKE_THREAD], [c, IRQ_HANDLED]);
  yield* fire(o, A, 'handled-wake-none', [a, IRQ_HANDLED], [c, IRQ_NONE]);
  yield* o.free(A, b);
  yield* fire(o, A, 'after-free-middle', [a, IRQ_NONE], [c, IRQ_HANDLED]);
  yield* o.request(A, { handler: b.handler, flags: IRQF_SHARED, name: 'b2', dev: b, log: { dev: 'b' } });
  yield* fire(o, A, 'b-readded', [a, IRQ_HANDLED], [b, IRQ_HANDLED]);
  for (const dev of [a, c, b]) yield* o.free(A, dev);
  yield* dup(o, A, a);
}
