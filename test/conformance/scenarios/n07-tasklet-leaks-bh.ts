// A tasklet leaves bottom halves off.
import { localBhDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';

export default function* (o: Oracle) {
  const leaks = () => {
    localBhDisable();
    o.log('leaks bh');
  };
  yield* inTasklet(o, leaks);
  o.log('end');
}
