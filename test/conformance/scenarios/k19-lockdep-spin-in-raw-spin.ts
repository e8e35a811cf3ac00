// A spin lock inside a raw one, which PREEMPT_RT could not do.
import { RawSpinlock, rawSpinLock, rawSpinUnlock, Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const RL = new RawSpinlock('RL');
  const LA = new Spinlock('LA');
  yield* rawSpinLock(RL);
  o.log('raw');
  yield* spinLock(LA);
  o.log('spin in raw');
  spinUnlock(LA);
  rawSpinUnlock(RL);
  o.log('end');
}
