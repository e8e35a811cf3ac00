// A second interrupt while the thread of the first one runs.
import { freeIrq, IRQ_HANDLED, IRQ_WAKE_THREAD, IRQF_ONESHOT, type IrqReturn } from '../../../kernel/index.js';
import type { Flow, Oracle } from '../vocabulary.js';

interface Variant {
  readonly name: string;
  readonly flow: Flow;
  readonly flags: number;
  /** Times that the line is pulsed again. */
  readonly again: number;
  readonly latching?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: 'edge-oneshot', flow: 'edge', flags: IRQF_ONESHOT, again: 1 },
  { name: 'edge-no-oneshot', flow: 'edge', flags: 0, again: 1 },
  { name: 'level-oneshot-still-asserted-after-first-thread-run', flow: 'level', flags: IRQF_ONESHOT, again: 0 },
  { name: 'fasteoi-oneshot-hardware-forgets', flow: 'fasteoi', flags: IRQF_ONESHOT, again: 1 },
  { name: 'fasteoi-oneshot-hardware-latches', flow: 'fasteoi', flags: IRQF_ONESHOT, again: 2, latching: true },
  { name: 'fasteoi-no-oneshot', flow: 'fasteoi', flags: 0, again: 1 },
];

function* secondIrq(o: Oracle, { name, flow, flags, again, latching = false }: Variant) {
  o.variant(name);
  const A = o.line('A', flow, { latching });
  let primary = 0;
  let thread = 0;
  const handler = (): IrqReturn => {
    o.log('primary', { run: ++primary });
    return IRQ_WAKE_THREAD;
  };
  const threadFn = function* () {
    const run = ++thread;
    o.log('thread.begin', { run });
    yield* o.sleep(24);
    if (run === 2) o.deassert(A);
    o.log('thread.end', { run });
    return IRQ_HANDLED;
  };
  yield* o.request(A, { handler, thread: threadFn, flags, name: 'two', dev: A });
  if (flow === 'level') yield* o.assert(A);
  else yield* o.pulse(A);
  yield* o.sleep(8);
  for (let n = 0; n < again; n++) {
    o.log('second');
    yield* o.pulse(A);
  }
  yield* o.sleep(120);
  o.log('result', { primary, thread });
  yield* freeIrq(A.irq, A);
}

export default function* (o: Oracle) {
  for (const variant of VARIANTS) yield* secondIrq(o, variant);
}
