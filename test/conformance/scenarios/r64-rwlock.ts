// preempt_count and interrupt flag with each kind of reader and writer lock; tries that fail.
import {
  type Acquiring,
  Rwlock,
  readLock,
  readLockBh,
  readLockIrq,
  readLockIrqsave,
  readTrylock,
  readUnlock,
  readUnlockBh,
  readUnlockIrq,
  readUnlockIrqrestore,
  writeLock,
  writeLockBh,
  writeLockIrq,
  writeLockIrqsave,
  writeTrylock,
  writeUnlock,
  writeUnlockBh,
  writeUnlockIrq,
  writeUnlockIrqrestore,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

function* released(o: Oracle, unlock: () => void, log = 'none') {
  unlock();
  yield* o.point();
  o.log(log);
}

function* held<F>(o: Oracle, log: string, lock: Acquiring<F>, unlock: (flags: F) => void) {
  const flags = yield* lock;
  o.log(log);
  yield* released(o, () => unlock(flags));
}

function* plain(o: Oracle, rw: Rwlock) {
  const tryWrite = () => ret(o, 'write_trylock', writeTrylock(rw));
  const tryRead = () => ret(o, 'read_trylock', readTrylock(rw));
  yield* readLock(rw);
  o.log('read');
  tryWrite();
  yield* readLock(rw);
  o.log('read twice');
  yield* o.hard(() => {
    tryRead();
    readUnlock(rw);
    tryWrite();
  });
  yield* released(o, () => readUnlock(rw), 'once');
  yield* released(o, () => readUnlock(rw));
  yield* writeLock(rw);
  o.log('write');
  tryRead();
  tryWrite();
  yield* released(o, () => writeUnlock(rw));
  tryWrite();
  o.log('held');
  writeUnlock(rw);
  tryRead();
  o.log('held');
  readUnlock(rw);
}

export default function* (o: Oracle) {
  const rw = new Rwlock('rw');
  yield* plain(o, rw);
  yield* held(o, 'read_bh', readLockBh(rw), () => readUnlockBh(rw));
  yield* held(o, 'write_irqsave', writeLockIrqsave(rw), (flags) => writeUnlockIrqrestore(rw, flags));
  yield* held(o, 'read_irq', readLockIrq(rw), () => readUnlockIrq(rw));
  yield* held(o, 'write_bh', writeLockBh(rw), () => writeUnlockBh(rw));
  yield* held(o, 'read_irqsave', readLockIrqsave(rw), (flags) => readUnlockIrqrestore(rw, flags));
  yield* held(o, 'write_irq', writeLockIrq(rw), () => writeUnlockIrq(rw));
}
