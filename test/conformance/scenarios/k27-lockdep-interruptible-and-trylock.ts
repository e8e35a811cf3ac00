// A mutex by trylock inside another one makes no order; the other one inside it does.
import {
  Mutex,
  mutexLock,
  mutexLockInterruptible,
  mutexLockKillable,
  mutexTrylock,
  mutexUnlock,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const [MA, MB] = [new Mutex('MA'), new Mutex('MB')];
  ret(o, 'lock', yield* mutexLockInterruptible(MA));
  ret(o, 'try', mutexTrylock(MB));
  mutexUnlock(MA);
  o.log('MB only');
  ret(o, 'lock', yield* mutexLockKillable(MA));
  mutexUnlock(MA);
  mutexUnlock(MB);
  yield* mutexLock(MA);
  yield* mutexLock(MB);
  o.log('end');
  mutexUnlock(MB);
  mutexUnlock(MA);
}
