// What lockdep is told of items and queues: they are like locks, held while an item runs and taken by who waits (lockdep_map).
import { type LockContext, lockContext } from '../locking/context.js';
import { LD_WAIT_INV, LockMap } from '../locking/held.js';
import type { Lockdep } from '../locking/lockdep.js';
import { herePlace, kernelPlace } from '../locking/place.js';
import type { Cpu } from '../sched/cpu.js';
import { SOFTIRQ_DISABLE_OFFSET } from '../sched/preempt.js';
import { DelayedWork } from './delayed-work.js';
import { WQ_BH } from './flags.js';
import { NAMELESS_WORK, type Work } from './work.js';
import type { Workqueue } from './workqueue.js';

/** Frames between the user's code, which calls an effect, and here. */
const FRAMES = 24;

const PROCESS_ONE_WORK = { place: kernelPlace('process_one_work', 'kernel/workqueue.c') };

function mapOfQueue(wq: Workqueue): LockMap {
  wq.lockMap ??= new LockMap(`(wq_completion)${wq.name}`, LD_WAIT_INV, wq.madeAt);
  return wq.lockMap;
}

/** All items of one name are alike, as those are in C that one line initializes. Those without a name have nothing in common. */
function mapOfWork(work: Work): LockMap | undefined {
  if (work.name === NAMELESS_WORK) return undefined;
  const name = work instanceof DelayedWork ? `&(&${work.name})->work` : `&${work.name}`;
  work.lockMap ??= new LockMap(`(work_completion)(${name})`, LD_WAIT_INV, PROCESS_ONE_WORK.place);
  return work.lockMap;
}

/** An item is about to run. */
export function acquireMaps(lockdep: Lockdep, cpu: Cpu, wq: Workqueue, work: Work): void {
  lockdep.acquire(cpu, mapOfQueue(wq), PROCESS_ONE_WORK);
  const map = mapOfWork(work);
  if (map !== undefined) lockdep.acquire(cpu, map, PROCESS_ONE_WORK);
}

/** Its function has ended. */
export function releaseMaps(lockdep: Lockdep, cpu: Cpu, wq: Workqueue, work: Work): void {
  const map = mapOfWork(work);
  if (map !== undefined) lockdep.release(cpu, map);
  lockdep.release(cpu, mapOfQueue(wq));
}

/** The caller's context; who waits for WQ_BH items does as if softirqs were off, in which these never come. */
function waiter(wq: Workqueue): LockContext {
  const context = lockContext();
  if ((wq.flags & WQ_BH) === 0) return context;
  const { id, machine, current, preemptCount, irqsEnabled } = context;
  return { id, machine, current, preemptCount: preemptCount + SOFTIRQ_DISABLE_OFFSET, irqsEnabled };
}

function touch(wq: Workqueue, map: LockMap | undefined): void {
  const context = waiter(wq);
  const { lockdep } = context.machine;
  if (lockdep?.on !== true || map === undefined) return;
  lockdep.acquire(context, map, { place: herePlace(FRAMES) });
  lockdep.release(context, map);
}

/** The caller is about to wait for a queue (touch_wq_lockdep_map). */
export function touchQueueMap(wq: Workqueue): void {
  touch(wq, mapOfQueue(wq));
}

/** The caller is about to wait for an item of a queue (touch_work_lockdep_map). */
export function touchWorkMap(wq: Workqueue, work: Work): void {
  touch(wq, mapOfWork(work));
}
