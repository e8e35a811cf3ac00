// Taking items back, and keeping them from being queued (cancel_work, disable_work).
import { KernelError } from '../errno.js';
import { listDelInit } from '../lib/list.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { inHardirq, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { timerDelete } from '../time/timer.js';
import { DelayedWork } from './delayed-work.js';
import { flushOne, refuseOwnWork } from './flush.js';
import { queueWork } from './queue.js';
import { moveLinkedWorks, type Work } from './work.js';
import type { Workqueue } from './workqueue.js';

/** What cancelling does besides (enum work_cancel_flags): stops the timer too; disables the item. */
const WORK_CANCEL_DELAYED = 1 << 0;
const WORK_CANCEL_DISABLE = 1 << 1;

/** Deepest that an item can be disabled. */
const MAX_DISABLE_DEPTH = 0xffff;

/** Takes an item from wherever it waits; it stays pending, which now is the caller's. True when it was before (work_grab_pending). */
export function grabPending(work: Work, delayed: boolean): boolean {
  if (delayed && work instanceof DelayedWork && timerDelete(work.timer) === 1) return true;
  if (!work.pending) {
    work.pending = true;
    return false;
  }
  const { pwq, inactive, color } = work;
  if (pwq === undefined) throw neverQueued(work);
  const { pool } = pwq;
  // Its barriers may not wait for a place: whoever waits for them would wait for nothing.
  if (inactive) moveLinkedWorks(work, pool.worklist);
  listDelInit(work.entry);
  work.pwq = undefined;
  work.inactive = false;
  work.linked = false;
  pwq.decNrInFlight(color, inactive);
  // Linux 6.12 leaves the barriers to the next worker that comes by; on a frozen queue there may never be one.
  if (inactive && pool.nrIdle === pool.nrWorkers) pool.kick();
  return true;
}

/** Pending, but on no list: the kernel looks for it for ever. */
function neverQueued(work: Work): KernelError {
  return work instanceof DelayedWork && work.timer.pending
    ? new KernelError('EDEADLK', `${work.name} waits for its timer`, { hint: 'use the call for delayed work' })
    : new KernelError('EDEADLK', `${work.name} was queued on a workqueue that was being destroyed or drained`);
}

function __cancelWork(work: Work, flags: number): boolean {
  const wasPending = grabPending(work, (flags & WORK_CANCEL_DELAYED) !== 0);
  if ((flags & WORK_CANCEL_DISABLE) !== 0) {
    if (work.disableDepth < MAX_DISABLE_DEPTH) work.disableDepth++;
    else
      thisCpu().machine.warnOnce(
        'work_offqd_disable',
        'workqueue: work disable count overflowed',
        'work_offqd_disable',
      );
  }
  work.pending = false;
  return wasPending;
}

function* __cancelWorkSync(work: Work, flags: number, call: string): Coroutine<boolean> {
  refuseOwnWork(work, call);
  const wasPending = __cancelWork(work, flags | WORK_CANCEL_DISABLE);
  if (work.pool?.bh !== true) mightSleep(call);
  else if (inHardirq()) thisCpu().machine.warnOnce('__cancel_work_sync', '', '__cancel_work_sync');
  yield* flushOne(work, true);
  if ((flags & WORK_CANCEL_DISABLE) === 0) enableWork(work);
  return wasPending;
}

/** Takes an item from its queue; true when it was there. It may be running still (cancel_work). Any context. */
export function cancelWork(work: Work): boolean {
  return __cancelWork(work, 0);
}

/**
 * Takes an item from its queue and waits until it has ended; true when it was queued (cancel_work_sync). It catches one that
 * queues itself, too. Process context; for an item of a WQ_BH queue also softirq context.
 *
 * @throws KernelError EDEADLK in the item's own function, and for a {@link DelayedWork} whose timer runs
 */
export const cancelWorkSync = effect(function* cancelWorkSync(work: Work): Coroutine<boolean> {
  return yield* __cancelWorkSync(work, 0, 'cancel_work_sync');
});

/** As {@link cancelWork}, or stops the timer (cancel_delayed_work). Any context. */
export function cancelDelayedWork(work: DelayedWork): boolean {
  return __cancelWork(work, WORK_CANCEL_DELAYED);
}

/** As {@link cancelWorkSync}, or stops the timer (cancel_delayed_work_sync). */
export const cancelDelayedWorkSync = effect(function* cancelDelayedWorkSync(work: DelayedWork): Coroutine<boolean> {
  return yield* __cancelWorkSync(work, WORK_CANCEL_DELAYED, 'cancel_delayed_work_sync');
});

/** As {@link cancelWork}, and it cannot be queued before as many {@link enableWork} have come (disable_work). Any context. */
export function disableWork(work: Work): boolean {
  return __cancelWork(work, WORK_CANCEL_DISABLE);
}

/** As {@link disableWork}, and waits until it has ended (disable_work_sync). As {@link cancelWorkSync}. */
export const disableWorkSync = effect(function* disableWorkSync(work: Work): Coroutine<boolean> {
  return yield* __cancelWorkSync(work, WORK_CANCEL_DISABLE, 'disable_work_sync');
});

/** As {@link disableWork}, or stops the timer (disable_delayed_work). Any context. */
export function disableDelayedWork(work: DelayedWork): boolean {
  return __cancelWork(work, WORK_CANCEL_DELAYED | WORK_CANCEL_DISABLE);
}

/** As {@link disableWorkSync}, or stops the timer (disable_delayed_work_sync). */
export const disableDelayedWorkSync = effect(function* disableDelayedWorkSync(work: DelayedWork): Coroutine<boolean> {
  return yield* __cancelWorkSync(work, WORK_CANCEL_DELAYED | WORK_CANCEL_DISABLE, 'disable_delayed_work_sync');
});

/**
 * Ends one {@link disableWork}; true when it was the last, and the item can be queued again (enable_work). One too many takes
 * the item from its queue, with a warning. Any context.
 */
export function enableWork(work: Work): boolean {
  grabPending(work, false);
  if (work.disableDepth > 0) work.disableDepth--;
  else thisCpu().machine.warnOnce('work_offqd_enable', 'workqueue: work disable count underflowed', 'enable_work');
  work.pending = false;
  return work.disableDepth === 0;
}

/** {@link enableWork} for what {@link disableDelayedWork} has disabled (enable_delayed_work). Any context. */
export function enableDelayedWork(work: DelayedWork): boolean {
  return enableWork(work);
}

/** Ends one {@link disableWork} and, when it was the last, queues the item: true then (enable_and_queue_work). Any context. */
export function enableAndQueueWork(wq: Workqueue, work: Work): boolean {
  if (!enableWork(work)) return false;
  queueWork(wq, work);
  return true;
}
