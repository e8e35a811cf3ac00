// Which waiters a wake-up wakes, and in which order.
import {
  finishWait,
  preemptDisable,
  prepareToWait,
  prepareToWaitExclusive,
  schedule,
  TASK_INTERRUPTIBLE,
  TASK_UNINTERRUPTIBLE,
  type Task,
  WaitQueueEntry,
  WaitQueueHead,
  waitqueueActive,
  wakeUp,
  wakeUpAll,
  wakeUpInterruptible,
  wakeUpInterruptibleAll,
  wakeUpNr,
  wakeUpProcess,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

/** Five waiters, w1 to w5; `exclusive` says which of them are. */
function* start(o: Oracle, q: WaitQueueHead, exclusive: readonly number[], state: number = TASK_UNINTERRUPTIBLE) {
  const tasks: Task[] = [];
  for (const [i, excl] of exclusive.entries()) {
    const t = `w${i + 1}`;
    const task = yield* o.thread(t, function* () {
      o.log('wait.begin', { t });
      const entry = new WaitQueueEntry();
      if (excl === 1) prepareToWaitExclusive(q, entry, state);
      else prepareToWait(q, entry, state);
      yield* schedule();
      o.log('woken', { t, left: 0, on_queue: Number(entry.head !== undefined) });
      finishWait(q, entry);
    });
    tasks.push(task);
  }
  return tasks;
}

function* interruptible(o: Oracle, q: WaitQueueHead) {
  const wake = function* (how: (head: WaitQueueHead) => unknown, log: string) {
    how(q);
    yield* o.point();
    o.log(log);
  };
  o.variant('interruptible');
  yield* start(o, q, [0, 0, 1, 1, 0]);
  yield* wake(wakeUpInterruptible, 'wake_up_interruptible');
  yield* o.sleep(4);
  wakeUpAll(q);
  yield* o.point();
  o.variant('interruptible waiters');
  yield* start(o, q, [0, 0, 1, 1, 0], TASK_INTERRUPTIBLE);
  yield* wake(wakeUpInterruptible, 'wake_up_interruptible');
  wakeUpInterruptibleAll(q);
  yield* o.sleep(4);
  o.variant('wake_up_process');
  const tasks = yield* start(o, q, [0, 0, 1, 1, 0]);
  const third = tasks[2];
  if (third === undefined) return;
  const woken = wakeUpProcess(third);
  yield* o.point();
  ret(o, 'wake_up_process', woken);
  yield* wake(wakeUp, 'wake_up');
  wakeUpAll(q);
  yield* o.sleep(4);
}

export default function* (o: Oracle) {
  const q = new WaitQueueHead();
  const wake = function* (log: string, nr: number) {
    o.log(log);
    wakeUpNr(q, nr);
    yield* o.point();
    yield* o.sleep(4);
  };
  o.variant('exclusive between others');
  yield* start(o, q, [1, 0, 1, 0, 1]);
  yield* wake('wake_up', 1);
  yield* wake('wake_up', 1);
  yield* wake('wake_up_nr 2', 2);
  ret(o, 'active', waitqueueActive(q));
  o.variant('wake_up_all with preemption off');
  yield* start(o, q, [0, 1, 0, 1, 0]);
  preemptDisable();
  wakeUpAll(q);
  o.log('all woken');
  yield* o.preemptEnable();
  o.log('after');
  yield* interruptible(o, q);
}
