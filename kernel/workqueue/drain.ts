// The end of a workqueue: it is emptied, also of what its items queue meanwhile, and taken apart (drain_workqueue, destroy_workqueue).
import type { Coroutine } from '../sched/coroutine.js';
import { effect } from '../sched/effect.js';
import { kthreadStop } from '../sched/kthread.js';
import { __WQ_DESTROYING, __WQ_DRAINING } from './flags.js';
import { __flushWorkqueue, refuseOwnQueue } from './flush-workqueue.js';
import type { PoolWorkqueue } from './pwq.js';
import { showOneWorkqueue, showPwq } from './show.js';
import { workqueueSysfsUnregister } from './sysfs.js';
import type { Workqueue } from './workqueue.js';

/** Flushes after which it says that it is not done. */
const FIRST_WARNING = 10;
const NEXT_WARNING = 100;
const LAST_WARNING = 1_000;

/**
 * Waits until a queue is empty (drain_workqueue). Meanwhile only its own items can queue on it: others get a warning, and
 * their item is lost. Process context.
 *
 * @throws KernelError EDEADLK in an item of the queue, which it would wait for
 */
export const drainWorkqueue = effect(function* drainWorkqueue(wq: Workqueue): Coroutine<void> {
  refuseOwnQueue(wq, 'drain_workqueue');
  if (wq.nrDrainers++ === 0) wq.flags |= __WQ_DRAINING;
  let flushes = 0;
  do {
    yield* __flushWorkqueue(wq);
    if (isEmpty(wq)) break;
    flushes++;
    if (flushes === FIRST_WARNING || (flushes % NEXT_WARNING === 0 && flushes <= LAST_WARNING)) {
      wq.owner.printk('warning', `workqueue ${wq.name}: drain_workqueue() isn't complete after ${flushes} tries`);
    }
  } while (true);
  if (--wq.nrDrainers === 0) wq.flags &= ~__WQ_DRAINING;
});

function isEmpty(wq: Workqueue): boolean {
  for (const pwq of wq.pwqs) if (!pwq.isEmpty) return false;
  return true;
}

/** Something is still on its way there (pwq_busy). */
function isBusy(pwq: PoolWorkqueue): boolean {
  const inFlight = pwq.nrInFlight.some((count) => count > 0);
  return inFlight || (pwq !== pwq.wq.dflPwq && pwq.refcnt > 1) || !pwq.isEmpty;
}

/**
 * Runs what is queued, and takes the queue apart (destroy_workqueue). What is queued from now on gets a warning, and is lost.
 * Delayed items must be cancelled before. Process context.
 *
 * @throws KernelError EDEADLK in an item of the queue, which it would wait for
 */
export const destroyWorkqueue = effect(function* destroyWorkqueue(wq: Workqueue): Coroutine<void> {
  const { owner } = wq;
  refuseOwnQueue(wq, 'destroy_workqueue');
  workqueueSysfsUnregister(wq);
  wq.flags |= __WQ_DESTROYING;
  yield* drainWorkqueue(wq);
  const task = wq.rescuer?.task;
  wq.rescuer = undefined;
  if (task !== undefined) yield* kthreadStop(task);
  for (const pwq of wq.pwqs) {
    if (!isBusy(pwq)) continue;
    owner.warn('', 'destroy_workqueue');
    owner.printk('warning', `destroy_workqueue: ${wq.name} has the following busy pwq`);
    showPwq(pwq);
    showOneWorkqueue(wq);
    return;
  }
  owner.workqueues.all.delete(wq);
  for (const pwq of wq.cpuPwqs) pwq.put();
  wq.dflPwq?.put();
});
