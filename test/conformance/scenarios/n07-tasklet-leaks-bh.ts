// A tasklet leaves bottom halves off.
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';
import { leaksBh } from './_leaks.js';

export default function* (o: Oracle) {
  yield* inTasklet(o, leaksBh(o));
  o.log('end');
}
