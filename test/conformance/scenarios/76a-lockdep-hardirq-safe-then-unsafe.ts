// A lock taken in a hard interrupt is taken in a task with interrupts on.
import { Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  yield* o.hard(() => {
    o.log('hardirq takes lock');
    spinLock(LA);
    spinUnlock(LA);
  });
  o.log('task spin_lock with irqs on');
  yield* spinLock(LA);
  o.log('locked');
  spinUnlock(LA);
  o.log('unlocked');
}
