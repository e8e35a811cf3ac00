// A level that its handler does not clear comes again at once; the task makes no progress meanwhile.
import type { Oracle } from '../vocabulary.js';

const CLEARING_RUN = 4;

export default function* (o: Oracle) {
  const A = o.line('A', 'level');
  const d = o.device('d');
  d.inHandler = (run) => {
    if (run === CLEARING_RUN) o.deassert(A);
  };
  yield* o.request(A, { handler: d.handler, name: 'd', dev: d });
  o.log('assert');
  yield* o.assert(A);
  o.log('task.after_assert');
  o.log('result', { runs: d.primaryRuns });
  yield* o.free(A, d);
}
