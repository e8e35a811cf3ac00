// wait_event and its kinds: what they return, and who goes on waiting.
import {
  type Coroutine,
  WaitQueueHead,
  waitEvent,
  waitEventInterruptible,
  waitEventInterruptibleExclusive,
  waitEventInterruptibleTimeout,
  waitEventKillable,
  waitEventTimeout,
  waitqueueActive,
  wakeUp,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret, timed } from './_helpers.js';

function* timeouts(o: Oracle, q: WaitQueueHead) {
  o.variant('already true');
  yield* waitEvent(q, () => true);
  ret(o, 'timeout 0', yield* waitEventTimeout(q, () => true, 0));
  ret(o, 'timeout 7', yield* waitEventTimeout(q, () => true, 7));
  ret(o, 'interruptible', yield* waitEventInterruptible(q, () => true));
  o.variant('false');
  yield* timed(
    o,
    'timeout 0',
    waitEventTimeout(q, () => false, 0),
  );
  yield* timed(
    o,
    'timeout 3',
    waitEventTimeout(q, () => false, 3),
  );
  yield* timed(
    o,
    'interruptible_timeout 3',
    waitEventInterruptibleTimeout(q, () => false, 3),
  );
}

export default function* (o: Oracle) {
  const q = new WaitQueueHead();
  let happened = false;
  const condition = () => happened;
  yield* timeouts(o, q);
  const waits: { readonly [t: string]: () => Coroutine<number> } = {
    *w1() {
      yield* waitEvent(q, condition);
      return 0;
    },
    *w2() {
      return (yield* waitEventTimeout(q, condition, 20)) > 0 ? 1 : 0;
    },
    w3: () => waitEventInterruptible(q, condition),
    w4: () => waitEventInterruptibleExclusive(q, condition),
    w5: () => waitEventKillable(q, condition),
  };
  o.variant('woken for nothing, then for something');
  for (const [t, wait] of Object.entries(waits)) {
    yield* o.thread(t, function* () {
      o.log('begin', { t });
      o.log('end', { t, ret: yield* wait() });
    });
  }
  const wake = function* (log: string) {
    wakeUp(q);
    yield* o.point();
    o.log(log);
  };
  yield* wake('for nothing');
  happened = true;
  yield* wake('for something');
  yield* o.sleep(4);
  yield* wake('again');
  yield* o.sleep(100);
  ret(o, 'active', waitqueueActive(q));
}
