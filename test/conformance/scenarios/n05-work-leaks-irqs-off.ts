// A work function leaves interrupts off.
import type { Oracle } from '../vocabulary.js';
import { inWork } from './_contexts.js';
import { leaksIrqsOff } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inWork(o, leaksIrqsOff(o));
  o.log('end');
}
