// A waiter in the middle of a mutex's queue is interrupted by a signal.
import {
  allowSignal,
  Mutex,
  mutexIsLocked,
  mutexLock,
  mutexLockInterruptible,
  mutexTrylock,
  mutexUnlock,
  SIGUSR1,
  sendSig,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const m = new Mutex('m');
  const start = (t: string) =>
    o.thread(t, function* () {
      o.log('lock.begin', { t });
      allowSignal(SIGUSR1);
      const result = yield* mutexLockInterruptible(m);
      o.log('lock.end', { t, ret: result });
      if (result !== 0) return;
      yield* o.sleep(8);
      mutexUnlock(m);
      yield* o.point();
      o.log('unlocked', { t });
    });
  yield* mutexLock(m);
  yield* start('m1');
  const second = yield* start('m2');
  yield* start('m3');
  o.log('waiting');
  sendSig(SIGUSR1, second);
  yield* o.point();
  o.log('signal sent');
  mutexUnlock(m);
  yield* o.point();
  o.log('unlocked');
  ret(o, 'trylock', mutexTrylock(m));
  yield* o.sleep(40);
  ret(o, 'is_locked', mutexIsLocked(m));
}
