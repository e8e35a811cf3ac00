// Queueing: an item gets to the pool where it will run, or waits there for its turn (queue_work_on).
import { cpumaskNextWrap } from '../lib/cpumask.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { Tracepoint } from '../trace/ring.js';
import { __WQ_DESTROYING, __WQ_DRAINING, __WQ_ORDERED, WORK_CPU_UNBOUND, WQ_UNBOUND } from './flags.js';
import { currentWqWorker } from './info.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Work } from './work.js';
import type { Workqueue } from './workqueue.js';

/** The caller runs an item of this queue. */
function isChainedWork(wq: Workqueue): boolean {
  return currentWqWorker()?.currentPwq?.wq === wq;
}

/** An unbound item is queued on the local CPU, or, if it may not be used, on the allowed ones in turn. */
function selectUnboundCpu(cpu: Cpu): number {
  const { workqueues, cpus } = cpu.machine;
  const mask = workqueues.unboundCpumask;
  if ((mask & (1 << cpu.id)) !== 0) return cpu.id;
  const next = cpumaskNextWrap(workqueues.rrCpuLast[cpu.id] ?? cpu.id, mask, cpus.length);
  workqueues.rrCpuLast[cpu.id] = next;
  return next;
}

/** An item that still runs goes back there: one queue never has it run by two workers at once. Not needed where there is an order. */
function pwqFor(cpuId: number, wq: Workqueue, work: Work): PoolWorkqueue {
  const pwq = wq.pwqOn(cpuId);
  const { pool: last, runner } = work;
  if (runner === undefined || last === undefined || last === pwq.pool || (wq.flags & __WQ_ORDERED) !== 0) return pwq;
  const running = last.workerRunning(work)?.currentPwq;
  return running?.wq === wq ? running : pwq;
}

/** Queues an item that was made pending (__queue_work). */
export function __queueWork(reqCpu: number, wq: Workqueue, work: Work): void {
  const cpu = thisCpu();
  if ((wq.flags & (__WQ_DESTROYING | __WQ_DRAINING)) !== 0 && !isChainedWork(wq)) {
    cpu.machine.warnOnce('__queue_work', '', '__queue_work');
    return;
  }
  let cpuId = reqCpu;
  if (reqCpu === WORK_CPU_UNBOUND) cpuId = (wq.flags & WQ_UNBOUND) === 0 ? cpu.id : selectUnboundCpu(cpu);
  const pwq = pwqFor(cpuId, wq, work);
  const { pool } = pwq;
  if (work.number === 0) cpu.machine.workqueues.number(work);
  cpu.trace(Tracepoint.workqueueQueueWork, work.number, pool.cpu?.id ?? -1, wq.nameId);
  const color = pwq.workColor;
  work.color = color;
  pwq.nrInFlight[color] = (pwq.nrInFlight[color] ?? 0) + 1;
  // Behind those that wait already, so that the order holds when max_active changes.
  if (pwq.inactiveWorks.empty && pwq.tryIncNrActive(false)) {
    if (pool.worklist.empty) pool.touch();
    pwq.insert(work, pool.worklist);
    pool.kick();
  } else {
    work.inactive = true;
    pwq.insert(work, pwq.inactiveWorks);
  }
}

/** True, and the item not pending, when it is disabled (clear_pending_if_disabled). */
export function clearPendingIfDisabled(work: Work): boolean {
  if (work.disableDepth === 0 || work.pwq !== undefined) return false;
  work.pending = false;
  return true;
}

/**
 * Queues an item on a CPU (queue_work_on); that of an unbound queue runs near it. False, and nothing is done, when it is
 * pending already, on whatever queue, or disabled. Any context.
 *
 * @throws KernelError EINVAL for a CPU that the machine has not got
 */
export function queueWorkOn(cpuId: number, wq: Workqueue, work: Work): boolean {
  if (work.pending) return false;
  if (cpuId !== WORK_CPU_UNBOUND) wq.pwqOn(cpuId);
  work.pending = true;
  if (clearPendingIfDisabled(work)) return false;
  __queueWork(cpuId, wq, work);
  return true;
}

/** Queues an item, on the local CPU if the queue is bound (queue_work). As {@link queueWorkOn}. */
export function queueWork(wq: Workqueue, work: Work): boolean {
  return queueWorkOn(WORK_CPU_UNBOUND, wq, work);
}

/**
 * Queues an item of an unbound queue on a node (queue_work_node). The machine has one node, 0: it is as {@link queueWork},
 * and warns of a bound queue.
 */
export function queueWorkNode(_node: number, wq: Workqueue, work: Work): boolean {
  if ((wq.flags & WQ_UNBOUND) === 0) wq.owner.warnOnce('queue_work_node', '', 'queue_work_node');
  return queueWork(wq, work);
}

/** Queues an item on the system's queue (schedule_work). As {@link queueWork}. */
export function scheduleWork(work: Work): boolean {
  return queueWorkOn(WORK_CPU_UNBOUND, thisCpu().machine.workqueues.systemPercpuWq, work);
}

/** As {@link scheduleWork}, on a CPU (schedule_work_on). */
export function scheduleWorkOn(cpuId: number, work: Work): boolean {
  return queueWorkOn(cpuId, thisCpu().machine.workqueues.systemPercpuWq, work);
}
