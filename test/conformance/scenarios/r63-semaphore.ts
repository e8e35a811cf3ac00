// A semaphore: tries, time-outs, and the order of its waiters.
import { down, downTimeout, downTrylock, preemptDisable, Semaphore, up } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret, timed } from './_helpers.js';

export default function* (o: Oracle) {
  const sem = new Semaphore(2);
  const tryIt = () => ret(o, 'down_trylock', downTrylock(sem));
  const logUp = () => o.log('up', { count: sem.count });
  for (let i = 0; i < 3; i++) ret(o, 'trylock', downTrylock(sem));
  yield* timed(o, 'timeout 3', downTimeout(sem, 3));
  ret(o, 'timeout 0', yield* downTimeout(sem, 0));
  for (const t of ['s1', 's2', 's3']) {
    yield* o.thread(t, function* () {
      o.log('down.begin', { t });
      yield* down(sem);
      o.log('down.end', { t, count: sem.count });
    });
  }
  up(sem);
  yield* o.point();
  logUp();
  preemptDisable();
  up(sem);
  ret(o, 'trylock', downTrylock(sem));
  logUp();
  yield* o.preemptEnable();
  yield* o.hard(() => {
    up(sem);
    o.log('up');
  });
  up(sem);
  logUp();
  yield* o.hard(tryIt);
  yield* o.hard(tryIt);
}
