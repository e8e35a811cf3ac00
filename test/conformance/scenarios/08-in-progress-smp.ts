// An interrupt that another CPU takes while the handler runs.
import { udelay } from '../../../kernel/index.js';
import type { Flow, Line, Oracle } from '../vocabulary.js';

function remote(o: Oracle, A: Line): void {
  const blocked = A.masked;
  A.arrive();
  if (!blocked) o.log('remote.flow_returned');
}

function* onOtherCpu(o: Oracle, flow: Flow, edges: number) {
  o.variant(`${flow}-other-cpu`, { edges });
  const A = o.line('A', flow);
  const d = o.device('d');
  const more = function* () {
    for (let n = 0; n < edges; n++) {
      yield* o.callOn(1, () => remote(o, A));
      yield* udelay(200);
    }
    o.log('primary.remote_done');
  };
  d.inHandler = (run) => (run === 1 ? more() : undefined);
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  o.log('fire');
  yield* o.pulse(A);
  o.log('result', { runs: d.primaryRuns });
  yield* o.free(A, d);
}

export default function* (o: Oracle) {
  for (const edges of [1, 2, 3]) yield* onOtherCpu(o, 'edge', edges);
  yield* onOtherCpu(o, 'fasteoi', 2);
  yield* onOtherCpu(o, 'simple', 2);
}
