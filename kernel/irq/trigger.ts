// The trigger type of a line, configured at its chip (__irq_set_trigger in kernel/irq/manage.c).
import { thisCpu } from '../sched/current.js';
import { callChip, maskIrq, unmaskIrq } from './chip.js';
import {
  IRQ_LEVEL,
  IRQ_SET_MASK_OK_NOCOPY,
  IRQ_TYPE_LEVEL_MASK,
  IRQ_TYPE_NONE,
  IRQ_TYPE_SENSE_MASK,
  IRQCHIP_SET_TYPE_MASKED,
} from './flags.js';
import type { IrqDesc } from './irqdesc.js';

/** Takes the type that is configured now over into the settings of the line. */
function settle(desc: IrqDesc): void {
  const level = (desc.type & IRQ_TYPE_LEVEL_MASK) === 0 ? 0 : IRQ_LEVEL;
  desc.settings = (desc.settings & ~(IRQ_TYPE_SENSE_MASK | IRQ_LEVEL)) | desc.type | level;
}

/**
 * Configures the trigger type of a line (__irq_set_trigger). A chip without a choice of types is left alone, and so is what
 * is known of the line. A chip that wants its lines masked for that gets them so.
 *
 * @param flags the type, in the lowest four bits
 * @throws what the chip throws, printed
 */
export function __irqSetTrigger(desc: IrqDesc, flags: number): void {
  const { chip } = desc;
  if (chip?.setType === undefined) return;
  const masked = ((chip.flags ?? 0) & IRQCHIP_SET_TYPE_MASKED) !== 0;
  if (masked) maskIrq(desc);
  const type = flags & IRQ_TYPE_SENSE_MASK;
  try {
    if (callChip(desc, chip.setType, type) !== IRQ_SET_MASK_OK_NOCOPY) desc.type = type;
    settle(desc);
  } catch (error) {
    const text = `Setting trigger mode ${type} for irq ${desc.irq} failed (${chip.setType.name})`;
    desc.machine.printk('err', `genirq: ${text}`);
    throw error;
  } finally {
    if (masked && !desc.disabled) unmaskIrq(desc);
  }
}

/** The trigger type of a line, an IRQ_TYPE_ number; 0 for an unknown irq (irq_get_trigger_type). Any context. */
export function irqGetTriggerType(irq: number): number {
  return thisCpu().machine.irqs.find(irq)?.type ?? IRQ_TYPE_NONE;
}

/**
 * Tells a line its trigger type without its chip, as a domain does that knows it from firmware (irqd_set_trigger_type). From
 * then on all who request it must agree. Any context.
 */
export function irqdSetTriggerType(desc: IrqDesc, type: number): void {
  desc.type = type & IRQ_TYPE_SENSE_MASK;
  desc.typeFixed = true;
}
