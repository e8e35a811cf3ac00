// A task unlocks the mutex of another one.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTask } from './_contexts.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  yield* mutexLock(MA);
  o.log('locked');
  yield* inTask(o, 'other', () => {
    mutexUnlock(MA);
    o.log('unlocked by another');
  });
  o.log('end');
}
