// cancel_work_sync and disable_irq with preemption off.
import { cancelWorkSync, disableIrq, preemptDisable, synchronizeIrq, Work } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const work = new Work(() => {}, 'wk');
  preemptDisable();
  yield* cancelWorkSync(work);
  o.log('cancelled');
  yield* o.preemptEnable();
  const A = o.line('A', 'edge');
  const d = o.device('d');
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  preemptDisable();
  yield* disableIrq(A.irq);
  o.log('disabled');
  yield* o.preemptEnable();
  yield* synchronizeIrq(A.irq);
}
