// Two spinlocks of one class, one inside the other.
import { Spinlock, spinLock, spinUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const s: Spinlock[] = [];
  for (let i = 0; i < 2; i++) s.push(new Spinlock('&s[i]'));
  o.log('two spinlocks of one class');
  for (const lock of s) yield* spinLock(lock);
  o.log('both locked');
  for (const lock of s.reverse()) spinUnlock(lock);
}
