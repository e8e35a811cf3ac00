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

export default function* (o: Oracle) {
  const [MA, MB] = [new Mutex('MA'), new Mutex('MB')];
  o.log('lock', { ret: yield* mutexLockInterruptible(MA) });
  o.log('try', { ret: Number(mutexTrylock(MB)) });
  mutexUnlock(MA);
  o.log('MB only');
  o.log('lock', { ret: yield* mutexLockKillable(MA) });
  mutexUnlock(MA);
  mutexUnlock(MB);
  yield* mutexLock(MA);
  yield* mutexLock(MB);
  o.log('end');
  mutexUnlock(MB);
  mutexUnlock(MA);
}
