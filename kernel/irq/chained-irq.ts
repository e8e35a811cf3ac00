// What a chained handler does to its own line around the lines behind it (include/linux/irqchip/chained_irq.h).
import type { IrqDesc } from './irqdesc.js';

/** Keeps a chained line from interrupting again (chained_irq_enter): masked and acknowledged, where there is no end of interrupt. */
export function chainedIrqEnter(desc: IrqDesc): void {
  const { chip } = desc;
  if (chip === undefined || chip.eoi !== undefined) return;
  if (chip.maskAck !== undefined) {
    chip.maskAck(desc);
    return;
  }
  chip.mask(desc);
  chip.ack?.(desc);
}

/** Lets a chained line interrupt again (chained_irq_exit). */
export function chainedIrqExit(desc: IrqDesc): void {
  const { chip } = desc;
  if (chip?.eoi === undefined) chip?.unmask(desc);
  else chip.eoi(desc);
}
