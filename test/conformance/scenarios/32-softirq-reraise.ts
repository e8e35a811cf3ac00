// A softirq that raises itself again runs ten times where it is, then in ksoftirqd.
import { BLOCK_SOFTIRQ, openSoftirq, raiseSoftirq } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  let max = 0;
  let iter = 0;
  openSoftirq(BLOCK_SOFTIRQ, () => {
    o.log('softirq', { iter: ++iter });
    if (iter < max) raiseSoftirq(BLOCK_SOFTIRQ);
  });
  const begin = function* (count: number, from: string) {
    o.variant(`${count}-from-${from}`);
    max = count;
    iter = 0;
    yield* o.base();
  };
  const end = function* (long: boolean) {
    o.log('task.after');
    yield* o.sleep(20);
    if (long) o.log('task.after_sleep');
  };
  yield* begin(25, 'irq-exit');
  yield* o.hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
  yield* end(true);
  yield* begin(25, 'local_bh_enable');
  yield* o.withBhOff(() => raiseSoftirq(BLOCK_SOFTIRQ));
  yield* end(true);
  for (const count of [9, 10, 11]) {
    yield* begin(count, 'irq-exit');
    yield* o.hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
    yield* end(false);
  }
}
