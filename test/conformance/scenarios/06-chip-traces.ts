// What each flow asks of its chip: plain, with a thread, under ONESHOT, and by the options of the chip.
import { IRQ_HANDLED, IRQ_WAKE_THREAD, IRQF_ONESHOT, IRQF_TRIGGER_RISING } from '../../../kernel/index.js';
import { ChipFlag, type Flow, type Oracle } from '../vocabulary.js';

interface Variant {
  readonly name: string;
  readonly flow: Flow;
  readonly chipflags?: number;
  readonly flags?: number;
  /** Whether the primary handler wakes the thread, and whether there is one at all. */
  readonly threaded?: boolean;
  readonly noPrimary?: boolean;
}

const plain = (flow: Flow, more = '', chipflags = 0, flags = 0): Variant => {
  return { name: `${flow}-plain${more}`, flow, chipflags, flags };
};
const oneshot = (flow: Flow, more = '', chipflags = 0, flags = IRQF_ONESHOT): Variant => {
  return { name: `${flow}-${more}`, flow, chipflags, flags, threaded: true, noPrimary: true };
};

const VARIANTS: readonly Variant[] = [
  plain('edge'),
  plain('edge', '-startup-shutdown-chip', ChipFlag.startupShutdown),
  plain('edge', '-enable-disable-chip', ChipFlag.enableDisable),
  plain('edge', '-rising', 0, IRQF_TRIGGER_RISING),
  plain('edge', '-rising-set_type_masked', ChipFlag.setTypeMasked, IRQF_TRIGGER_RISING),
  plain('edge', '-buslock', ChipFlag.busLock, IRQF_TRIGGER_RISING),
  plain('level'),
  plain('level', '-no-mask_ack', ChipFlag.noMaskAck),
  plain('fasteoi'),
  plain('simple'),
  plain('percpu'),
  ...(['edge', 'level', 'fasteoi'] as const).map((flow) => {
    return { name: `${flow}-threaded-no-oneshot`, flow, threaded: true };
  }),
  { name: 'edge-oneshot', flow: 'edge', flags: IRQF_ONESHOT, threaded: true },
  oneshot('edge', 'oneshot-thread-only'),
  { name: 'level-oneshot', flow: 'level', flags: IRQF_ONESHOT, threaded: true },
  oneshot('level', 'oneshot-thread-only'),
  oneshot('level', 'oneshot-thread-only-buslock', ChipFlag.busLock),
  oneshot('fasteoi', 'oneshot-thread-only'),
  oneshot('fasteoi', 'oneshot-eoi_threaded', ChipFlag.eoiThreaded),
  oneshot('simple', 'oneshot-thread-only'),
  oneshot('level', 'thread-only-oneshot_safe-chip', ChipFlag.oneshotSafe, 0),
  oneshot('level', 'oneshot-oneshot_safe-chip', ChipFlag.oneshotSafe),
];

function* trace(o: Oracle, { name, flow, chipflags = 0, flags = 0, threaded = false, noPrimary = false }: Variant) {
  o.variant(name);
  const A = o.line('A', flow, { chipflags });
  const d = o.device('d', threaded ? IRQ_WAKE_THREAD : IRQ_HANDLED);
  const quiet = (): undefined => {
    o.deassert(A);
    return undefined;
  };
  if (!threaded || (flags & IRQF_ONESHOT) === 0) d.inHandler = quiet;
  d.inThread = quiet;
  const handler = noPrimary ? null : d.handler;
  yield* o.request(A, { handler, thread: threaded ? d.thread : null, flags, name: 't', dev: d });
  o.log('fire');
  if (flow === 'level') yield* o.assert(A);
  else yield* o.pulse(A);
  yield* o.sleep(12);
  yield* o.free(A, d);
  A.dispose();
}

export default function* (o: Oracle) {
  for (const variant of VARIANTS) yield* trace(o, variant);
}
