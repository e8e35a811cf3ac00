// The report comes once a second.
import { localIrqDisable, mightSleep, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  const sleeps = () => {
    mightSleep('might_sleep');
    o.log('might_sleep');
  };
  preemptDisable();
  sleeps();
  sleeps();
  yield* o.preemptEnable();
  localIrqDisable();
  sleeps();
  yield* o.localIrqEnable();
  o.log('a second later');
  yield* o.sleep(1500);
  preemptDisable();
  sleeps();
  yield* o.preemptEnable();
}
