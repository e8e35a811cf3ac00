// An answer that is none is reported each time.
import type { IrqReturn } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  o.variant('bogus-return-value');
  const A = o.line('A', 'edge', { quiet: true });
  let calls = 0;
  const sp_h = (): IrqReturn => {
    calls++;
    return 77 as IrqReturn;
  };
  yield* o.request(A, { handler: sp_h, name: 'sp', dev: 'd' });
  const fired = 3;
  for (let i = 0; i < fired; i++) yield* o.hard(() => A.handle());
  const { disabled } = o.machine.irqs.get(A.irq);
  o.log('result', { fired, handler_calls: calls, thread_calls: 0, disabled: disabled ? 1 : 0 });
  o.state('end', A);
}
