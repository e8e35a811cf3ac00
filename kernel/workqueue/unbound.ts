// Unbound workqueues: the pools that they share, and the change of their attributes while items run (apply_workqueue_attrs).
import { KernelError } from '../errno.js';
import { setCpusAllowedPtr } from '../sched/core.js';
import { podCpus, type WorkqueueAttrs, WQ_AFFN_DFL, WQ_AFFN_NAMES } from './attrs.js';
import { __WQ_DESTROYING, __WQ_ORDERED, WQ_UNBOUND } from './flags.js';
import { PoolWorkqueue } from './pwq.js';
import type { WorkqueueSubsystem } from './system.js';
import type { Workqueue } from './workqueue.js';

/** What an unbound queue will consist of: prepared first, so that a failure leaves everything as it was. */
interface Prepared {
  readonly wq: Workqueue;
  readonly attrs: WorkqueueAttrs;
  readonly dflPwq: PoolWorkqueue;
  readonly cpuPwqs: readonly PoolWorkqueue[];
}

function prepare(wq: Workqueue, wanted: WorkqueueAttrs, unboundCpumask: number): Prepared {
  const { machine } = wq;
  if (machine === undefined || WQ_AFFN_NAMES[wanted.affnScope] === undefined) {
    throw new KernelError('EINVAL', `workqueue ${wq.name}: affinity scope ${wanted.affnScope}`);
  }
  const { workqueues, cpuMask, cpus } = machine;
  const attrs = wanted.copy();
  // CPUs that are not to be used do not count; if none is left, all that may be used do.
  const allowed = attrs.cpumask & unboundCpumask;
  attrs.cpumask = allowed === 0 ? unboundCpumask : allowed;
  attrs.podCpumask = attrs.cpumask;
  const make = (): PoolWorkqueue => new PoolWorkqueue(wq, workqueues.getUnboundPool(attrs));
  const dflPwq = make();
  const scope = attrs.affnScope === WQ_AFFN_DFL ? workqueues.affnDfl : attrs.affnScope;
  const cpuPwqs = cpus.map(({ id }) => {
    if (attrs.ordered) {
      dflPwq.refcnt++;
      return dflPwq;
    }
    const pod = podCpus(scope, id, cpuMask) & attrs.cpumask;
    attrs.podCpumask = pod === 0 ? attrs.cpumask : pod;
    return make();
  });
  const own = wanted.copy();
  own.cpumask &= cpuMask;
  own.podCpumask = own.cpumask;
  // What is queued from now on waits until the older part of the queue is empty.
  if ((wq.flags & __WQ_ORDERED) !== 0 && wq.pwqs.size > 0) dflPwq.plugged = true;
  return { wq, attrs: own, dflPwq, cpuPwqs };
}

function commit({ wq, attrs, dflPwq, cpuPwqs }: Prepared): void {
  const old = [...wq.cpuPwqs, ...(wq.dflPwq === undefined ? [] : [wq.dflPwq])];
  wq.unboundAttrs = attrs;
  for (const [id, pwq] of cpuPwqs.entries()) wq.cpuPwqs[id] = wq.link(pwq);
  wq.dflPwq = wq.link(dflPwq);
  const task = wq.rescuer?.task;
  if (task !== undefined) setCpusAllowedPtr(task, dflPwq.pool.attrs.podCpumask);
  for (const pwq of old) pwq.put();
}

/** Gives an unbound queue its attributes, and the pools that these ask for. */
export function applyAttrs(wq: Workqueue, attrs: WorkqueueAttrs): void {
  commit(prepare(wq, attrs, wq.owner.workqueues.unboundCpumask));
}

/**
 * Changes nice value, CPUs and affinity of an unbound queue (apply_workqueue_attrs). Items that are queued or running end where
 * they are, those that are queued from now on run as it says. Process context.
 *
 * @throws KernelError EINVAL for a queue that is not unbound, with a warning, and for an unknown affinity scope
 */
export function applyWorkqueueAttrs(wq: Workqueue, attrs: WorkqueueAttrs): void {
  const { owner } = wq;
  if ((wq.flags & WQ_UNBOUND) === 0) {
    owner.warn('', 'apply_workqueue_attrs_locked');
    throw new KernelError('EINVAL', `workqueue ${wq.name} is not unbound`, { hint: 'make it with WQ_UNBOUND' });
  }
  applyAttrs(wq, attrs);
}

/** Changes the CPUs that unbound queues may use at all, and with them every unbound queue (workqueue_apply_unbound_cpumask). */
export function applyUnboundCpumask(system: WorkqueueSubsystem, cpumask: number): void {
  const changes: Prepared[] = [];
  for (const wq of system.all) {
    if (wq.unboundAttrs === undefined || (wq.flags & __WQ_DESTROYING) !== 0) continue;
    changes.push(prepare(wq, wq.unboundAttrs, cpumask));
  }
  for (const change of changes) commit(change);
  system.unboundCpumask = cpumask;
}

/** The default scope has changed: parts whose CPUs that changes are made anew (unbound_wq_update_pwq). */
export function applyDefaultScope(system: WorkqueueSubsystem): void {
  for (const wq of system.all) if (wq.unboundAttrs?.ordered === false) applyAttrs(wq, wq.unboundAttrs);
}
