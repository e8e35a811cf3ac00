// What an unbound workqueue wants of its workers: nice value, CPUs, and how close together these are (struct workqueue_attrs).
import { KernelError } from '../errno.js';
import { thisCpu } from '../sched/current.js';

/** Which CPUs share workers, each group having its own pool: affinity_scope (enum wq_affn_scope). */
export const WQ_AFFN_DFL = 0;
export const WQ_AFFN_CPU = 1;
export const WQ_AFFN_SMT = 2;
export const WQ_AFFN_CACHE = 3;
export const WQ_AFFN_NUMA = 4;
export const WQ_AFFN_SYSTEM = 5;

/** Names of the scopes, as they are read and written. */
export const WQ_AFFN_NAMES: readonly string[] = ['default', 'cpu', 'smt', 'cache', 'numa', 'system'];

/** The attributes of an unbound workqueue, made by {@link allocWorkqueueAttrs}. */
export class WorkqueueAttrs {
  /** -20 to 19. */
  nice = 0;
  /** CPUs on which its items may run, as a bit mask. */
  cpumask: number;
  /** Of a pool: the CPUs of its group. */
  podCpumask: number;
  /** Workers never leave their group; else it is only where they are woken. */
  affnStrict = false;
  /** One of WQ_AFFN_. */
  affnScope = WQ_AFFN_DFL;
  /** One pool for all groups. */
  ordered = false;

  constructor(cpumask: number) {
    this.cpumask = cpumask;
    this.podCpumask = cpumask;
  }

  copy(): WorkqueueAttrs {
    return Object.assign(new WorkqueueAttrs(this.cpumask), this);
  }

  /** Workers made for these serve the others as well (wqattrs_equal). */
  samePool(other: WorkqueueAttrs): boolean {
    return (
      this.nice === other.nice &&
      this.affnStrict === other.affnStrict &&
      this.podCpumask === other.podCpumask &&
      (this.affnStrict || this.cpumask === other.cpumask)
    );
  }

  /** As a pool has them: what only queues have is left out. */
  forPool(cpuMask: number): WorkqueueAttrs {
    const attrs = this.copy();
    attrs.affnScope = WQ_AFFN_DFL;
    attrs.ordered = false;
    if (attrs.affnStrict) attrs.cpumask = cpuMask;
    return attrs;
  }
}

/** Attributes as a new queue has them: nice 0, all CPUs (alloc_workqueue_attrs). Any context. */
export function allocWorkqueueAttrs(): WorkqueueAttrs {
  return new WorkqueueAttrs(thisCpu().machine.cpuMask);
}

/** CPUs that are in one group with `cpuId`. All CPUs of the machine share the last-level cache, and its only node. */
export function podCpus(scope: number, cpuId: number, cpuMask: number): number {
  return scope === WQ_AFFN_CPU || scope === WQ_AFFN_SMT ? 1 << cpuId : cpuMask;
}

/**
 * Reads the name of a scope; what follows the name does not matter, nor do capitals (parse_affn_scope).
 *
 * @throws KernelError EINVAL
 */
export function parseAffnScope(text: string): number {
  const lower = text.toLowerCase();
  const scope = WQ_AFFN_NAMES.findIndex((name) => lower.startsWith(name));
  if (scope >= 0) return scope;
  throw new KernelError('EINVAL', `'${text.trimEnd()}' is no affinity scope`, { hint: WQ_AFFN_NAMES.join(', ') });
}
