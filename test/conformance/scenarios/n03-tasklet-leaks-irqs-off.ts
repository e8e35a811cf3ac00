// A tasklet leaves interrupts off.
import { localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';

export default function* (o: Oracle) {
  const leaks = () => {
    localIrqDisable();
    o.log('leaks irqs off');
  };
  yield* inTasklet(o, leaks);
  o.log('end');
}
