// What schedule() thinks of its caller: one that may not sleep is reported (schedule_debug in kernel/sched/core.c).
import { KernelError } from '../errno.js';
import type { Cpu } from './cpu.js';
import { HARDIRQ_MASK, NMI_MASK, PREEMPT_OFFSET, SOFTIRQ_OFFSET } from './preempt.js';

/** Contexts in which there is no task that could sleep. */
const NO_TASK = NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET;

/** Reports a caller of schedule() that holds preemption off; a task then sleeps all the same, interrupt code gets `EDEADLK`. */
export function scheduleDebug(cpu: Cpu): void {
  if (cpu.preemptCount === 0) return;
  reportAtomic(cpu);
  if ((cpu.preemptCount & NO_TASK) !== 0) {
    throw new KernelError('EDEADLK', 'in interrupt code nothing can sleep', {
      hint: 'sleep in a thread function or a work item; udelay() waits in any context',
    });
  }
  cpu.preemptCount = 0;
}

/** Reports that the running task gives up the CPU with preemption off. */
export function reportAtomic(cpu: Cpu): void {
  cpu.machine.bug(schedulingWhileAtomic(cpu), ...(cpu.machine.lockdep?.heldLines(cpu.current) ?? []));
}

/** First line of the report about a caller of schedule() that may not sleep; the count has schedule()'s own on top. */
export function schedulingWhileAtomic(cpu: Cpu): string {
  const { comm, pid } = cpu.current;
  const count = ((cpu.preemptCount + PREEMPT_OFFSET) >>> 0).toString(16).padStart(8, '0');
  return `scheduling while atomic: ${comm}/${pid}/0x${count}`;
}
