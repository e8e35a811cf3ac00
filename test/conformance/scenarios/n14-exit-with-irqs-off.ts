// A task exits with interrupts off.
import { localIrqDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTask } from './_contexts.js';

export default function* (o: Oracle) {
  yield* inTask(o, 'bad', () => {
    localIrqDisable();
    o.log('exits');
  });
  o.log('end');
}
