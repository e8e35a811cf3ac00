// Handing an interrupt to its line, from whoever decodes it (generic_handle_irq in kernel/irq/irqdesc.c).
import { KernelError } from '../errno.js';
import { finishOutcome } from '../sched/atomic.js';
import { localIrqRestore, localIrqSave } from '../sched/core.js';
import type { Coroutine, Outcome } from '../sched/coroutine.js';
import { inHardirq, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import type { IrqDesc } from './irqdesc.js';
import type { IrqDomain } from './irqdomain.js';

/** Calls the flow handler of a line (handle_irq_desc). `EPERM` for one whose controller insists on hard interrupt context. */
function handleIrqDesc(desc: IrqDesc): Outcome {
  if (desc.enforceIrqctx && !inHardirq()) {
    desc.machine.warnOnce('enforce irqctx', '', 'handle_irq_desc');
    throw new KernelError('EPERM', `irq ${desc.irq} is handled in hard interrupt context only`);
  }
  return desc.handleIrq(desc);
}

function descOfLine(domain: IrqDomain, hwirq: number): IrqDesc {
  const desc = domain.descOf(hwirq);
  if (desc === undefined) throw new KernelError('EINVAL', `${domain.name}: line ${hwirq} has no interrupt number`);
  return desc;
}

/**
 * Handles an interrupt (generic_handle_irq). Hard interrupt context: in a chained handler, which returns the outcome or
 * defers the rest of its own, or as the last thing that a plain top half does. A generator takes {@link genericHandleIrqSafe}.
 *
 * @throws KernelError EINVAL (unknown irq), EPERM (a line that must be handled in hard interrupt context, elsewhere)
 */
export function genericHandleIrq(irq: number): Outcome {
  return handleIrqDesc(thisCpu().machine.irqs.get(irq));
}

/** As {@link genericHandleIrq}, by the line of a domain (generic_handle_domain_irq). */
export function genericHandleDomainIrq(domain: IrqDomain, hwirq: number): Outcome {
  return handleIrqDesc(descOfLine(domain, hwirq));
}

function* handleSafely(desc: IrqDesc): Coroutine<void> {
  const flags = localIrqSave();
  try {
    yield* finishOutcome(handleIrqDesc(desc));
  } finally {
    localIrqRestore(flags);
  }
}

/**
 * Handles an interrupt with interrupts off, and comes back when its handlers are done (generic_handle_irq_safe). Any
 * context. Errors as {@link genericHandleIrq}.
 */
export const genericHandleIrqSafe = effect(function* genericHandleIrqSafe(irq: number) {
  yield* handleSafely(thisCpu().machine.irqs.get(irq));
});

/** As {@link genericHandleIrqSafe}, by the line of a domain (generic_handle_domain_irq_safe). */
export const genericHandleDomainIrqSafe = effect(function* genericHandleDomainIrqSafe(
  domain: IrqDomain,
  hwirq: number,
) {
  yield* handleSafely(descOfLine(domain, hwirq));
});
