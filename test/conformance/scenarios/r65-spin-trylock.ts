// Tries on a spin lock: what they leave behind when they fail.
import {
  Spinlock,
  spinIsLocked,
  spinTrylock,
  spinTrylockBh,
  spinTrylockIrq,
  spinTrylockIrqsave,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrq,
  spinUnlockIrqrestore,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

export default function* (o: Oracle) {
  const lock = new Spinlock('sp');
  const attempt = function* (ev: string, result: boolean, log = 'held') {
    yield* o.point();
    ret(o, ev, result);
    o.log(log);
  };
  const released = function* (unlock: () => void) {
    unlock();
    yield* o.point();
    o.log('none');
  };
  yield* attempt('try', spinTrylock(lock));
  yield* attempt('try again', spinTrylock(lock));
  yield* o.hard(() => {
    ret(o, 'spin_trylock', spinTrylock(lock));
    ret(o, 'is_locked', spinIsLocked(lock));
  });
  yield* released(() => spinUnlock(lock));
  yield* attempt('bh', spinTrylockBh(lock));
  yield* attempt('bh again', spinTrylockBh(lock));
  yield* released(() => spinUnlockBh(lock));
  yield* attempt('irq', spinTrylockIrq(lock));
  yield* attempt('irq again', spinTrylockIrq(lock), 'irqs are on again');
  yield* released(() => spinUnlockIrq(lock));
  const flags = spinTrylockIrqsave(lock);
  yield* attempt('irqsave', flags !== undefined);
  yield* released(() => spinUnlockIrqrestore(lock, flags ?? true));
}
