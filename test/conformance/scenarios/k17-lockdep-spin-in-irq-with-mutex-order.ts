// Mutexes by trylock make no order among themselves.
import { Mutex, mutexLock, mutexTrylock, mutexUnlock, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const [MA, MB] = [new Mutex('MA'), new Mutex('MB')];
  yield* mutexLock(MA);
  yield* spinLock(LA);
  o.log('mutex, spin');
  spinUnlock(LA);
  mutexUnlock(MA);
  yield* mutexLock(MA);
  ret(o, 'trylock', mutexTrylock(MB));
  ret(o, 'trylock MA', mutexTrylock(MA));
  mutexUnlock(MB);
  mutexUnlock(MA);
  yield* mutexLock(MB);
  yield* mutexLock(MA);
  o.log('the other way round');
  mutexUnlock(MA);
  mutexUnlock(MB);
  o.log('end');
}
