// A reader lock inside itself, around a spin lock, and inside it.
import {
  Rwlock,
  readLock,
  readUnlock,
  Spinlock,
  spinLock,
  spinUnlock,
  writeLock,
  writeUnlock,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const RA = new Rwlock('RA');
  const LA = new Spinlock('LA');
  yield* readLock(RA);
  yield* readLock(RA);
  o.log('read twice');
  readUnlock(RA);
  readUnlock(RA);
  yield* readLock(RA);
  yield* spinLock(LA);
  spinUnlock(LA);
  readUnlock(RA);
  yield* spinLock(LA);
  yield* readLock(RA);
  o.log('LA, read RA');
  readUnlock(RA);
  spinUnlock(LA);
  yield* spinLock(LA);
  yield* writeLock(RA);
  o.log('LA, write RA');
  writeUnlock(RA);
  spinUnlock(LA);
  o.log('end');
}
