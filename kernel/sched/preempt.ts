// preempt_count: its bit fields (include/linux/preempt.h) and the questions that are asked of it.

/** One `preempt_disable()` or held spinlock: bits 0-7. */
export const PREEMPT_OFFSET = 0x1;
/** A softirq being served; `local_bh_disable()` adds two of these: bits 8-15. */
export const SOFTIRQ_OFFSET = 0x100;
export const SOFTIRQ_DISABLE_OFFSET = 2 * SOFTIRQ_OFFSET;
/** A hard interrupt being served: bits 16-19. */
export const HARDIRQ_OFFSET = 0x1_0000;
/** A non-maskable interrupt being served: bits 20-23. */
export const NMI_OFFSET = 0x10_0000;

export const PREEMPT_MASK = 0xff;
export const SOFTIRQ_MASK = 0xff00;
export const HARDIRQ_MASK = 0xf_0000;
export const NMI_MASK = 0xf0_0000;

/** The kind of context that code runs in. `softirq` means being served, not merely disabled. */
export type Context = 'task' | 'softirq' | 'hardirq' | 'nmi';

/** What a preempt_count says of the context that it was read in. */
export function contextOf(preemptCount: number): Context {
  if ((preemptCount & NMI_MASK) !== 0) return 'nmi';
  if ((preemptCount & HARDIRQ_MASK) !== 0) return 'hardirq';
  if ((preemptCount & SOFTIRQ_OFFSET) !== 0) return 'softirq';
  return 'task';
}
