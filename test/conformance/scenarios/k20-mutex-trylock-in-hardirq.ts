// mutex_trylock in a hard interrupt.
import { Mutex, mutexIsLocked, mutexTrylock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* o.hard(() => {
    ret(o, 'trylock', mutexTrylock(MA));
    if (mutexIsLocked(MA)) mutexUnlock(MA);
  });
  o.log('end');
}
