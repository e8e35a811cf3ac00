// Runs a function in a context of its own: task, thread of an interrupt, tasklet, timer, hrtimer, work, ksoftirqd.
// The names are those of the recorded driver.
import {
  type Atomic,
  HRTIMER_MODE_REL_HARD,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerStart,
  IRQ_WAKE_THREAD,
  type IrqThreadFn,
  jiffies,
  localBhDisable,
  modTimer,
  type Process,
  queueWork,
  Tasklet,
  TimerList,
  taskletSchedule,
  Work,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

type Body = () => Atomic<void>;

export function* inTask(o: Oracle, comm: string, body: () => Process<void>) {
  yield* o.thread(comm, body);
  yield* o.sleep(5);
}

export function* inIrqThread(o: Oracle, thread: IrqThreadFn) {
  const A = o.line('A', 'edge');
  yield* o.request(A, { handler: () => IRQ_WAKE_THREAD, thread, name: 'd', dev: 'd' });
  yield* o.pulse(A);
  o.log('after');
  yield* o.sleep(5);
}

export function* inTasklet(o: Oracle, body: Body) {
  const tasklet = new Tasklet(function tk_fn() {
    return body();
  });
  localBhDisable();
  taskletSchedule(tasklet);
  yield* o.localBhEnable();
}

export function* inKsoftirqd(o: Oracle, body: Body) {
  const tasklet = new Tasklet(function tk_fn() {
    return body();
  });
  taskletSchedule(tasklet);
  yield* o.sleep(20);
}

export function* inTimer(o: Oracle, body: Body) {
  const timer = new TimerList(function tm_fn() {
    return body();
  });
  modTimer(timer, jiffies() + 1);
  yield* o.sleep(20);
  return timer;
}

export function* inHrtimer(o: Oracle, body: () => void) {
  const timer = new Hrtimer(function ht_fn() {
    body();
    return HRTIMER_NORESTART;
  }, HRTIMER_MODE_REL_HARD);
  hrtimerStart(timer, 1_000_000, HRTIMER_MODE_REL_HARD);
  yield* o.sleep(20);
}

export function* inWork(o: Oracle, body: () => Process<void>, wq = o.machine.workqueues.systemWq) {
  const work = new Work(function wk_fn() {
    return body();
  }, 'wk');
  queueWork(wq, work);
  yield* o.sleep(20);
  return work;
}
