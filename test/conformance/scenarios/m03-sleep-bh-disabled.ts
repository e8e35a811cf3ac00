// might_sleep with bottom halves off.
import { localBhDisable, mightSleep } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  localBhDisable();
  mightSleep('might_sleep');
  o.log('might_sleep');
  yield* o.localBhEnable();
  o.log('end');
}
