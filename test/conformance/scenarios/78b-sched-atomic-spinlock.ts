// A task sleeps with a spinlock held.
import { msleep, preemptCount, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** preempt_count() on x86: bit 31 is need_resched, inverted. */
const COUNT_MASK = 0x7fff_ffff;

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  o.log('msleep in spinlock');
  yield* spinLock(LA);
  yield* msleep(1);
  o.log('after', { preempt_count: preemptCount() & COUNT_MASK });
  spinUnlock(LA);
  o.log('after-unlock', { preempt_count: preemptCount() & COUNT_MASK });
}
