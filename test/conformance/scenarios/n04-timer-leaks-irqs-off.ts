// A timer function leaves interrupts off.
import type { Oracle } from '../vocabulary.js';
import { inTimer } from './_contexts.js';
import { leaksIrqsOff } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inTimer(o, leaksIrqsOff(o));
  o.log('end');
}
