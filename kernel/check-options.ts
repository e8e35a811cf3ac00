// What a machine's options may be: those that are out of range are refused when it is made.
import { KernelError } from './errno.js';
import type { MachineOptions, PreemptModel } from './machine-options.js';

const MAX_CPUS = 8;

/** The number of CPUs. `EINVAL` unless that is 1 to 8. */
export function checkCpus(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_CPUS) return count;
  throw new KernelError('EINVAL', `a machine has 1 to ${MAX_CPUS} CPUs, not ${count}`);
}

/** An option that is a length of time. `EINVAL` for one below 0, and for no number. */
export function checkLength(
  options: MachineOptions,
  name: 'sliceNs' | 'hungTaskTimeoutSecs',
  otherwise: number,
): number {
  const value = options[name] ?? otherwise;
  if (value >= 0) return value;
  throw new KernelError('EINVAL', `${name} ${value}: not a length of time`);
}

/** When tasks are preempted. `EINVAL` for what is none of the two. */
export function checkPreempt(preempt: PreemptModel): PreemptModel {
  if (preempt === 'full' || preempt === 'none') return preempt;
  throw new KernelError('EINVAL', `preempt ${preempt}: full or none`);
}
