// preempt_count and interrupt flag with each kind of reader and writer lock; tries that fail.
import {
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
  yield* readLockBh(rw);
  o.log('read_bh');
  yield* released(o, () => readUnlockBh(rw));
  const writeFlags = yield* writeLockIrqsave(rw);
  o.log('write_irqsave');
  yield* released(o, () => writeUnlockIrqrestore(rw, writeFlags));
  yield* readLockIrq(rw);
  o.log('read_irq');
  yield* released(o, () => readUnlockIrq(rw));
  yield* writeLockBh(rw);
  o.log('write_bh');
  yield* released(o, () => writeUnlockBh(rw));
  const readFlags = yield* readLockIrqsave(rw);
  o.log('read_irqsave');
  yield* released(o, () => readUnlockIrqrestore(rw, readFlags));
  yield* writeLockIrq(rw);
  o.log('write_irq');
  yield* released(o, () => writeUnlockIrq(rw));
}
