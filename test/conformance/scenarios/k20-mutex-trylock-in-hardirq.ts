// mutex_trylock in a hard interrupt.
import { Mutex, mutexIsLocked, mutexTrylock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* o.hard(() => {
    o.log('trylock', { ret: Number(mutexTrylock(MA)) });
    if (mutexIsLocked(MA)) mutexUnlock(MA);
  });
  o.log('end');
}
