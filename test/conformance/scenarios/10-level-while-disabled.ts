// A level that becomes active while its line is disabled: what enable_irq does depends on the declared trigger type.
import { disableIrq, IRQ_DISABLE_UNLAZY, IRQF_TRIGGER_HIGH, irqSetStatusFlags } from '../../../kernel/index.js';
import { ChipFlag, type Oracle } from '../vocabulary.js';

interface Variant {
  readonly name: string;
  readonly flags?: number;
  readonly chipflags?: number;
  readonly gone?: boolean;
  readonly unlazy?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: 'undeclared-still-asserted' },
  { name: 'undeclared-gone-before-enable', gone: true },
  { name: 'undeclared-still-asserted-no-retrigger', chipflags: ChipFlag.noRetrigger },
  { name: 'undeclared-still-asserted-unlazy', unlazy: true },
  { name: 'trigger-high-still-asserted', flags: IRQF_TRIGGER_HIGH },
  { name: 'trigger-high-gone-before-enable', flags: IRQF_TRIGGER_HIGH, gone: true },
  { name: 'trigger-high-still-asserted-no-retrigger', flags: IRQF_TRIGGER_HIGH, chipflags: ChipFlag.noRetrigger },
  { name: 'trigger-high-still-asserted-unlazy', flags: IRQF_TRIGGER_HIGH, unlazy: true },
];

function* whileDisabled(o: Oracle, { name, flags = 0, chipflags = 0, gone = false, unlazy = false }: Variant) {
  o.variant(name);
  const A = o.line('A', 'level', { chipflags });
  const d = o.device('d');
  d.inHandler = () => o.deassert(A);
  if (unlazy) irqSetStatusFlags(A.irq, IRQ_DISABLE_UNLAZY);
  yield* o.request(A, { handler: d.handler, flags, name: 'd', dev: d, log: { flags: `0x${flags.toString(16)}` } });
  o.log('disable_irq');
  yield* disableIrq(A.irq);
  o.state('disabled', A);
  o.log('assert');
  yield* o.assert(A);
  o.state('asserted', A);
  if (gone) {
    o.log('deassert');
    o.deassert(A);
  }
  o.log('enable_irq');
  yield* o.enableIrq(A);
  o.log('enable_irq.returned');
  yield* o.sleep(20);
  o.log('result', { runs: d.primaryRuns });
  yield* o.free(A, d);
}

export default function* (o: Oracle) {
  for (const variant of VARIANTS) yield* whileDisabled(o, variant);
}
