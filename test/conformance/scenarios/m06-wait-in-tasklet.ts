// wait_for_completion in a tasklet, on one that is complete.
import { Completion, complete, waitForCompletion } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet } from './_contexts.js';

export default function* (o: Oracle) {
  yield* inTasklet(o, function* () {
    const done = new Completion();
    complete(done);
    yield* waitForCompletion(done);
    o.log('waited');
  });
  o.log('end');
}
