// irq_set_irq_wake nests, and needs a chip that can.
import { irqSetIrqWake } from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';
import { errno, ret } from './_helpers.js';

/** The chip says that it has no set_wake. */
const WITHOUT_SET_WAKE = { chip: { setWake: undefined } } as unknown as NonNullable<Parameters<Oracle['line']>[2]>;

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  const B = o.line('B', 'edge', WITHOUT_SET_WAKE);
  const d = o.device('d');
  const wake = (ev: string, line: Line, on: boolean) => {
    ret(
      o,
      ev,
      errno(() => irqSetIrqWake(line.irq, on)),
    );
  };
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  yield* o.request(B, { handler: d.handler, name: 'd', dev: d });
  wake('on', A, true);
  wake('on', A, true);
  wake('off', A, false);
  wake('off', A, false);
  wake('off', A, false);
  wake('on B', B, true);
  wake('off B', B, false);
  irqSetIrqWake(A.irq, true);
  yield* o.free(A, d);
  wake('off after free', A, false);
  yield* o.free(B, d);
}
