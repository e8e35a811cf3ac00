// Mutexes: trylock, waiters in the order in which they came, and no hand-over at unlock.
import {
  Mutex,
  mutexIsLocked,
  mutexLock,
  mutexLockInterruptible,
  mutexTrylock,
  mutexUnlock,
  preemptDisable,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const bit = (value: boolean): number => (value ? 1 : 0);

function* waiter(o: Oracle, lock: Mutex, t: string) {
  yield* o.thread(t, function* () {
    const got = mutexTrylock(lock);
    o.log('trylock', { t, ret: bit(got) });
    if (!got) {
      o.log('lock.begin', { t });
      yield* mutexLock(lock);
      o.log('lock.got', { t });
    }
    yield* o.sleep(8);
    o.log('unlock', { t });
    mutexUnlock(lock);
  });
  yield* o.sleep(8);
}

export default function* (o: Oracle) {
  const lock = new Mutex('MA');
  o.log('mutex_is_locked', { ret: bit(mutexIsLocked(lock)) });
  o.log('mutex_trylock', { ret: bit(mutexTrylock(lock)), note: 'free' });
  o.log('mutex_is_locked', { ret: bit(mutexIsLocked(lock)) });
  o.log('mutex_trylock', { ret: bit(mutexTrylock(lock)), note: 'held-by-self' });
  o.log('spawn waiters m1 m2 m3');
  for (const t of ['m1', 'm2', 'm3']) yield* waiter(o, lock, t);
  o.log('unlock');
  mutexUnlock(lock);
  yield* o.point();
  o.log('unlock.returned');
  yield* o.sleep(100);
  o.log('mutex_lock_interruptible', { ret: yield* mutexLockInterruptible(lock) });
  o.variant('mutex_trylock-then-handoff');
  yield* waiter(o, lock, 'm1');
  preemptDisable();
  mutexUnlock(lock);
  o.log('mutex_trylock right after unlock', { ret: bit(mutexTrylock(lock)) });
  yield* o.preemptEnable();
  yield* o.sleep(8);
  mutexUnlock(lock);
  yield* o.sleep(40);
}
