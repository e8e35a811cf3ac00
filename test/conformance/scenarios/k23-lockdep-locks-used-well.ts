// Locks that are used as they must be: nothing is reported.
import {
  localIrqDisable,
  Spinlock,
  spinLock,
  spinLockBh,
  spinLockIrqsave,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrqrestore,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { inTasklet, inTimer } from './_contexts.js';
import { takerOf } from './_locks.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  const LB = new Spinlock('LB');
  const saved = function* () {
    const flags = yield* spinLockIrqsave(LA);
    spinUnlockIrqrestore(LA, flags);
  };
  const logged = function* () {
    yield* saved();
    o.log('tasklet');
  };
  yield* o.hard(takerOf(o, LA));
  yield* inTasklet(o, logged);
  yield* inTimer(o, logged);
  yield* saved();
  localIrqDisable();
  yield* spinLock(LA);
  spinUnlock(LA);
  yield* o.localIrqEnable();
  yield* spinLockBh(LB);
  spinUnlockBh(LB);
  yield* inTasklet(o, function* () {
    yield* spinLock(LB);
    spinUnlock(LB);
  });
  o.log('end');
}
