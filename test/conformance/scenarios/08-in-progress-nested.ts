// An interrupt that comes while its handler runs, as another CPU would have it.
import type { Flow, Oracle } from '../vocabulary.js';

function* nested(o: Oracle, flow: Flow) {
  o.variant(`${flow}-nested-call`, { edges: 2 });
  const A = o.line('A', flow);
  const d = o.device('d');
  d.inHandler = (run) => {
    if (run > 1) return;
    for (const n of [1, 2]) {
      o.log('nest', { n });
      A.handle();
    }
    o.log('nest.done');
  };
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  o.log('fire');
  yield* o.pulse(A);
  yield* o.sleep(30);
  o.log('result', { runs: d.primaryRuns });
  yield* o.free(A, d);
}

export default function* (o: Oracle) {
  for (const flow of ['edge', 'level', 'fasteoi', 'simple'] as const) yield* nested(o, flow);
}
