// A tasklet leaves interrupts off.
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { leaksIrqsOff } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inTasklet(o, leaksIrqsOff(o));
  o.log('end');
}
