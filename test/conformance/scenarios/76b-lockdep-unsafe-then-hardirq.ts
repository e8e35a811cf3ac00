// A lock taken in a task with interrupts on is taken in a hard interrupt.
import { Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const LA = new Spinlock('LA');
  o.log('task spin_lock with irqs on');
  yield* spinLock(LA);
  spinUnlock(LA);
  yield* o.hard(() => {
    o.log('hardirq takes lock');
    spinLock(LA);
    spinUnlock(LA);
  });
  o.log('end');
}
