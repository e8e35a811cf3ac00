// A reader lock taken in hard interrupts, then with interrupts on, to read and to write.
import { Rwlock, readLock, readUnlock, writeLock, writeUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const RA = new Rwlock('RA');
  yield* o.hard(function* () {
    yield* readLock(RA);
    readUnlock(RA);
    o.log('read in hard interrupt');
  });
  yield* readLock(RA);
  o.log('read with interrupts on');
  readUnlock(RA);
  yield* writeLock(RA);
  o.log('write with interrupts on');
  writeUnlock(RA);
  o.log('end');
}
