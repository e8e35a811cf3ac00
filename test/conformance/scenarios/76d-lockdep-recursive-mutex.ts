// Two mutexes of one class, one inside the other.
import { Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const m: Mutex[] = [];
  for (let i = 0; i < 2; i++) m.push(new Mutex('&m[i]'));
  o.log('two mutexes of one class');
  for (const lock of m) yield* mutexLock(lock);
  o.log('both locked');
  for (const lock of m.reverse()) mutexUnlock(lock);
}
