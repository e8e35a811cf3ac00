// Threads that poll NAPI instances in place of NET_RX softirq (napi_threaded_poll in net/core/dev.c).
import type { Machine } from '../machine.js';
import { condResched, preemptPoint } from '../sched/core.js';
import { type Coroutine, isCoroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { NAPIF_STATE_SCHED, NAPIF_STATE_SCHED_THREADED, type NapiStruct } from './napi.js';

/** Starts the thread of an instance (napi_kthread_create). */
export function napiThread(machine: Machine, napi: NapiStruct): Task {
  return machine.spawn(`napi/${napi.dev?.name ?? ''}-${napi.napiId}`, () => threadedPoll(napi));
}

function* threadedPoll(napi: NapiStruct): Coroutine<number> {
  while (yield* wanted(napi)) yield* pollLoop(napi);
  return 0;
}

/** Sleeps until the instance is scheduled for its thread; false when the thread is to end (napi_thread_wait). */
function* wanted(napi: NapiStruct): Coroutine<boolean> {
  const task = current();
  while (!task.shouldStop) {
    if ((napi.state & NAPIF_STATE_SCHED_THREADED) !== 0) {
      if (!napi.pollList.empty) task.cpu.machine.warn('', 'napi_thread_wait');
      return true;
    }
    task.state = TASK_INTERRUPTIBLE;
    yield Request.schedule;
    task.state = TASK_RUNNING;
  }
  return false;
}

/** Polls as long as each poll uses up its budget (napi_threaded_poll_loop). */
function* pollLoop(napi: NapiStruct): Coroutine<void> {
  for (;;) {
    localBhDisable();
    const work = yield* pollOnce(napi);
    const again = thisCpu().machine.net.afterPoll(napi, work);
    localBhEnable();
    yield* preemptPoint();
    if (!again) return;
    yield* condResched();
  }
}

function* pollOnce(napi: NapiStruct): Coroutine<number> {
  if ((napi.state & NAPIF_STATE_SCHED) === 0) return 0;
  try {
    const result = napi.poll(napi, napi.weight);
    return isCoroutine(result) ? yield* result : result;
  } catch (error) {
    thisCpu().machine.oops(`poll function of ${napi.dev?.name ?? 'no device'}`, error);
    return 0;
  }
}
