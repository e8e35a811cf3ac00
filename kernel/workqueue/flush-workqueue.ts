// Waiting for all items of a queue: those queued before have one colour, those queued since have the next (__flush_workqueue).
import { KernelError } from '../errno.js';
import { Completion, complete, waitForCompletion } from '../sched/completion.js';
import { dumpStack, mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { WORK_NR_COLORS } from './flags.js';
import { checkFlushDependency } from './flush.js';
import { currentWqWorker } from './info.js';
import { touchQueueMap } from './lock-maps.js';
import type { Workqueue } from './workqueue.js';

/** One flush that is under way (struct wq_flusher). */
export class Flusher {
  flushColor = -1;
  readonly done = new Completion();
}

function nextColor(color: number): number {
  return (color + 1) % WORK_NR_COLORS;
}

/** Has every part of the queue that has items of `flushColor` tell when they are done; true when there is such a part. */
function armFlush(wq: Workqueue, flushColor: number): boolean {
  let wait = false;
  for (const pwq of wq.pwqs) {
    if (pwq.nrInFlight[flushColor] === 0) continue;
    pwq.flushColor = flushColor;
    wq.nrPwqsToFlush++;
    wait = true;
  }
  return wait;
}

/** What is queued from now on has the next colour. */
function advanceWorkColor(wq: Workqueue): void {
  wq.workColor = nextColor(wq.workColor);
  for (const pwq of wq.pwqs) pwq.workColor = wq.workColor;
}

/** Takes its place among the flushes; false when there is nothing to wait for. */
function startFlush(wq: Workqueue, flusher: Flusher): boolean {
  if (nextColor(wq.workColor) === wq.flushColor) {
    // All colours are in use: the next flush that ends has one for it.
    wq.flusherOverflow.push(flusher);
    return true;
  }
  flusher.flushColor = wq.workColor;
  advanceWorkColor(wq);
  if (wq.firstFlusher !== undefined) {
    wq.flusherQueue.push(flusher);
    return true;
  }
  wq.firstFlusher = flusher;
  if (armFlush(wq, wq.flushColor)) return true;
  wq.flushColor = wq.workColor;
  wq.firstFlusher = undefined;
  return false;
}

/** The first flush is over: ends those with it, and makes the next one the first. */
function endFlush(wq: Workqueue): void {
  wq.firstFlusher = undefined;
  for (;;) {
    const same = wq.flusherQueue.findIndex(({ flushColor }) => flushColor !== wq.flushColor);
    const ended = wq.flusherQueue.splice(0, same < 0 ? wq.flusherQueue.length : same);
    for (const flusher of ended) complete(flusher.done);
    wq.flushColor = nextColor(wq.flushColor);
    if (wq.flusherOverflow.length > 0) {
      for (const flusher of wq.flusherOverflow) flusher.flushColor = wq.workColor;
      wq.flusherQueue.push(...wq.flusherOverflow.splice(0));
      advanceWorkColor(wq);
    }
    const next = wq.flusherQueue.shift();
    if (next === undefined) return;
    wq.firstFlusher = next;
    if (armFlush(wq, wq.flushColor)) return;
    // Its items are done already. It is told with those of its colour, in the next round.
    wq.firstFlusher = undefined;
    complete(next.done);
  }
}

/** Refuses to wait for a queue within one of its items. */
export function refuseOwnQueue(wq: Workqueue, call: string): void {
  if (currentWqWorker()?.currentPwq?.wq !== wq) return;
  throw new KernelError('EDEADLK', `${call}() of ${wq.name} in one of its own items, which it would wait for`);
}

/** Waits until all items are done that were queued before; those that are queued meanwhile do not matter (__flush_workqueue). */
export const __flushWorkqueue = effect(function* __flushWorkqueue(wq: Workqueue): Coroutine<void> {
  mightSleep('__flush_workqueue');
  touchQueueMap(wq);
  refuseOwnQueue(wq, 'flush_workqueue');
  if (wq.machine === undefined) return;
  const flusher = new Flusher();
  if (!startFlush(wq, flusher)) return;
  checkFlushDependency(wq, undefined);
  yield* waitForCompletion(flusher.done);
  if (wq.firstFlusher === flusher) endFlush(wq);
});

/**
 * Waits until all items of a queue are done that were queued before (flush_workqueue); a {@link DelayedWork} whose timer runs
 * is not queued yet. The queues of the system are not to be flushed, and it says so. Process context.
 *
 * @throws KernelError EDEADLK in an item of the queue, which it would wait for
 */
export const flushWorkqueue = effect(function* flushWorkqueue(wq: Workqueue): Coroutine<void> {
  const cpu = thisCpu();
  if (cpu.machine.workqueues.systemWide.has(wq)) {
    cpu.machine.printk('warning', 'WARNING: Flushing system-wide workqueues will be prohibited in near future.');
    dumpStack();
  }
  yield* __flushWorkqueue(wq);
});

/** Waits for the items of `events` (flush_scheduled_work). Old code has it: flush the item, or have a queue of your own. */
export const flushScheduledWork = effect(function* flushScheduledWork(): Coroutine<void> {
  yield* flushWorkqueue(thisCpu().machine.workqueues.systemPercpuWq);
});
