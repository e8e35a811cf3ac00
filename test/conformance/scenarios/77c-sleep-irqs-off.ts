// mutex_lock() with interrupts off.
import { localIrqDisable, Mutex, mutexLock, mutexUnlock } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const MA = new Mutex('MA');
  o.log('mutex_lock with irqs off');
  localIrqDisable();
  yield* mutexLock(MA);
  mutexUnlock(MA);
  yield* o.localIrqEnable();
  o.log('after');
}
