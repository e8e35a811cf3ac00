// Several tasks flush and cancel one work, and flush one workqueue.
import {
  allocWorkqueue,
  type Coroutine,
  cancelWorkSync,
  destroyWorkqueue,
  flushWork,
  flushWorkqueue,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';
import { start } from './_works.js';

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const [a, b, c] = [o.work('a'), o.work('b'), o.work('c')];
  const waiter = (t: string, what: string, wait: () => Coroutine<void>) =>
    o.thread(t, function* () {
      o.log(`${what}.begin`, { t });
      yield* wait();
      o.log(`${what}.end`, { t });
    });
  const flusher = (t: string) =>
    waiter(t, 'flush', function* () {
      ret(o, 'flush_work', yield* flushWork(a));
    });
  const canceller = (t: string) =>
    waiter(t, 'cancel', function* () {
      ret(o, 'cancel_work_sync', yield* cancelWorkSync(a));
    });
  const queueFlusher = (t: string) =>
    waiter(t, 'wqflush', function* () {
      yield* flushWorkqueue(wq);
    });
  a.sleep = 20;
  o.variant('flushers and cancellers of a running one');
  yield* start(o, wq, a);
  o.queueWork(wq, a);
  yield* flusher('f1');
  yield* canceller('c1');
  yield* flusher('f2');
  yield* canceller('c2');
  o.queueWork(wq, a);
  yield* o.sleep(60);
  o.queueWork(wq, a);
  yield* o.sleep(40);
  o.variant('flush_workqueue twice, works between');
  b.sleep = 12;
  c.sleep = 4;
  yield* start(o, wq, a);
  yield* queueFlusher('q1');
  o.queueWork(wq, b);
  yield* queueFlusher('q2');
  o.queueWork(wq, c);
  yield* queueFlusher('q3');
  yield* o.sleep(60);
  yield* destroyWorkqueue(wq);
}
