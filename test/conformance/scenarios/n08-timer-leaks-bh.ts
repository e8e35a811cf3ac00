// A timer function leaves bottom halves off.
import { localBhDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';

export default function* (o: Oracle) {
  const leaks = () => {
    localBhDisable();
    o.log('leaks bh');
  };
  yield* inTimer(o, leaks);
  o.log('end');
}
