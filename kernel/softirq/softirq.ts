// Softirqs: ten vectors a CPU, opened and raised, bottom halves disabled and enabled, /proc/softirqs (kernel/softirq.c).
import type { Machine } from '../machine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { HARDIRQ_MASK, NMI_MASK, SOFTIRQ_DISABLE_OFFSET, SOFTIRQ_MASK } from '../sched/preempt.js';
import type { SoftirqAction } from './vectors.js';

export * from './vectors.js';

const IN_INTERRUPT = NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK;

/**
 * Sets what a vector does, on all CPUs (open_softirq). Any context.
 *
 * ```ts
 * const machine = new Machine({ extraSoftirqs: ['MY_SOFTIRQ'] });   // enum { … MY_SOFTIRQ, RCU_SOFTIRQ, NR_SOFTIRQS };
 * const MY_SOFTIRQ = machine.softirqs.nrOf('MY_SOFTIRQ');
 * machine.runTask(() => openSoftirq(MY_SOFTIRQ, () => log('my action')));
 * const handler = () => {
 *   raiseSoftirq(MY_SOFTIRQ);
 *   return IRQ_HANDLED;
 * };
 * ```
 *
 * @throws KernelError EINVAL for a vector that the machine has not got
 */
export function openSoftirq(nr: number, action: SoftirqAction): void {
  thisCpu().machine.softirqs.open(nr, action);
}

/**
 * Raises a vector on this CPU (raise_softirq). It runs at the end of the outermost hard interrupt or when bottom halves
 * are enabled, else in ksoftirqd. Any context.
 *
 * @throws KernelError EINVAL for a vector that the machine has not got
 */
export function raiseSoftirq(nr: number): void {
  const cpu = thisCpu();
  cpu.machine.softirqs.check(nr);
  cpu.softirqs.raise(nr);
}

/** As {@link raiseSoftirq}, where interrupts are off already (raise_softirq_irqoff); where they are not, lockdep warns. */
export function raiseSoftirqIrqoff(nr: number): void {
  const cpu = thisCpu();
  cpu.machine.softirqs.check(nr);
  assertIrqsDisabled(cpu, '__raise_softirq_irqoff');
  cpu.softirqs.raise(nr);
}

/**
 * Marks a vector as raised without waking ksoftirqd (__raise_softirq_irqoff): the next interrupt exit or bottom-half enable
 * runs it, or the next tick of a CPU on which time passes before that. Interrupts are off; where they are not, lockdep warns.
 *
 * @throws KernelError EINVAL for a vector that the machine has not got
 */
export function __raiseSoftirqIrqoff(nr: number): void {
  const cpu = thisCpu();
  cpu.machine.softirqs.check(nr);
  assertIrqsDisabled(cpu, '__raise_softirq_irqoff');
  cpu.softirqs.mark(nr);
}

/** The vectors raised on this CPU and not yet served, as a bit mask (local_softirq_pending). Any context. */
export function localSoftirqPending(): number {
  return thisCpu().softirqs.pending;
}

/** Keeps softirqs off this CPU, and the caller on it (local_bh_disable). Nests. Any context but a hard interrupt, where lockdep warns. */
export function localBhDisable(): void {
  const cpu = thisCpu();
  if (cpu.machine.lockdep !== undefined) warnInHardirq(cpu, '__local_bh_disable_ip');
  cpu.preemptCount += SOFTIRQ_DISABLE_OFFSET;
}

/**
 * Ends one {@link localBhDisable}. At the outermost one raised softirqs run at the next `yield*` (give it
 * `preemptPoint()` to have them at once), with interrupts on even if the caller has them off. With them off lockdep warns,
 * and leaves them on, as that build of the kernel does. Any context but a hard interrupt, where it warns.
 */
export function localBhEnable(): void {
  const cpu = thisCpu();
  warnInHardirq(cpu, '__local_bh_enable_ip');
  if (!cpu.irqsEnabled) enableIrqsToo(cpu);
  enableBh(cpu);
  if (cpu.softirqs.pending !== 0 && (cpu.preemptCount & IN_INTERRUPT) === 0) cpu.softirqs.due = true;
}

/**
 * As {@link localBhEnable}, where interrupts are off and raised softirqs are to wait for the next chance
 * (_local_bh_enable).
 */
export function _localBhEnable(): void {
  const cpu = thisCpu();
  warnInHardirq(cpu, '_local_bh_enable');
  assertIrqsDisabled(cpu, '__local_bh_enable');
  enableBh(cpu);
}

/** What lockdep's build of the kernel does when bottom halves are enabled with interrupts off; in a hard interrupt that build dies of it. */
function enableIrqsToo(cpu: Cpu): void {
  const { lockdep } = cpu.machine;
  if (lockdep === undefined) return;
  if (lockdep.on) cpu.machine.warnOnce('irqs disabled in __local_bh_enable_ip', '', '__local_bh_enable_ip');
  if ((cpu.preemptCount & HARDIRQ_MASK) !== 0) return;
  lockdep.hardirqsOn(cpu);
  cpu.irqsEnabled = true;
}

function enableBh(cpu: Cpu): void {
  cpu.preemptCount -= SOFTIRQ_DISABLE_OFFSET;
  const { lockdep } = cpu.machine;
  if (lockdep === undefined || !cpu.irqsEnabled || (cpu.preemptCount & SOFTIRQ_MASK) !== 0) return;
  // Lockdep's build does so with interrupts off, and looks at the locks when these come back on.
  cpu.irqsEnabled = false;
  lockdep.softirqsOn(cpu);
  cpu.irqsEnabled = true;
}

/** As WARN_ON_ONCE(in_hardirq()). */
function warnInHardirq(cpu: Cpu, where: string): void {
  if ((cpu.preemptCount & HARDIRQ_MASK) !== 0) cpu.machine.warnOnce(`in_hardirq ${where}`, '', where);
}

/** As lockdep_assert_irqs_disabled(): `where` is the kernel function that asserts it. */
export function assertIrqsDisabled(cpu: Cpu, where: string): void {
  if (cpu.irqsEnabled && cpu.machine.lockdep?.on === true) cpu.machine.warnOnce(`irqs enabled in ${where}`, '', where);
}

/** The times that each vector ran on each CPU, as /proc/softirqs prints them. */
export function showSoftirqs(machine: Machine): string {
  let text = ' '.repeat(20);
  for (const cpu of machine.cpus) text += `CPU${String(cpu.id).padEnd(8)}`;
  text += '\n';
  for (const [nr, name] of machine.softirqs.names.entries()) {
    text += `${name.padStart(12)}:`;
    for (const cpu of machine.cpus) text += ` ${String(cpu.softirqs.counts[nr] ?? 0).padStart(10)}`;
    text += '\n';
  }
  return text;
}
