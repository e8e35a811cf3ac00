// How a line gets its chip, its flow handler and its status flags (kernel/irq/chip.c).
import { KernelError } from '../errno.js';
import { thisCpu } from '../sched/current.js';
import { irqActivateAndStartup, maskAckIrq } from './chip.js';
import { changeLine, type LineChange } from './chip-bus.js';
import {
  IRQ_NOAUTOEN,
  IRQ_NONE,
  IRQ_NOPROBE,
  IRQ_NOREQUEST,
  IRQ_NOTHREAD,
  IRQ_PER_CPU,
  IRQ_PER_CPU_DEVID,
  IRQ_TYPE_NONE,
  IRQ_TYPE_SENSE_MASK,
  IRQF_MODIFY_MASK,
} from './flags.js';
import { handleBadIrq } from './handle-bad.js';
import type { FlowHandler, IrqAction, IrqChip, IrqDesc } from './irqdesc.js';
import { newAction } from './request.js';
import { __irqSetTrigger } from './trigger.js';

function descOf(irq: number): IrqDesc {
  return thisCpu().machine.irqs.get(irq);
}

/** Gives a line its chip; null takes it away (irq_set_chip). Any context. `EINVAL` for an unknown irq, and for what is no chip. */
export function irqSetChip(irq: number, chip: IrqChip | null): void {
  const desc = descOf(irq);
  if (chip !== null && (typeof chip?.mask !== 'function' || typeof chip.unmask !== 'function')) {
    throw new KernelError('EINVAL', `irq ${irq}: a chip has mask() and unmask()`, { hint: 'null takes a chip away' });
  }
  desc.chip = chip ?? undefined;
}

/** Data of the chip for a line, {@link IrqDesc.chipData} (irq_set_chip_data). Any context. `EINVAL` for an unknown irq. */
export function irqSetChipData(irq: number, data: unknown): void {
  descOf(irq).chipData = data;
}

/** Data of the flow handler for a line, {@link IrqDesc.handlerData} (irq_set_handler_data). Any context. `EINVAL` for an unknown irq. */
export function irqSetHandlerData(irq: number, data: unknown): void {
  descOf(irq).handlerData = data;
}

/** What runs if a chained line's flow runs actions after all, as it does when the chip's set_type has put another one there. */
function chainedAction(desc: IrqDesc): IrqAction {
  const bad_chained_irq = (): typeof IRQ_NONE => {
    desc.machine.warnOnce('chained action', `Chained irq ${desc.irq} should not call an action`, 'bad_chained_irq');
    return IRQ_NONE;
  };
  return newAction(desc, {
    handler: bad_chained_irq,
    threadFn: undefined,
    flags: 0,
    name: '(null)',
    devId: undefined,
    percpuDevId: undefined,
  });
}

interface HandlerChange {
  readonly handle: FlowHandler | null;
  readonly chained: boolean;
  readonly name: string | undefined;
}

function uninstall(desc: IrqDesc, chained: boolean): void {
  if (desc.chip !== undefined) maskAckIrq(desc);
  desc.disabled = true;
  desc.depth = 1;
  if (!chained) return;
  desc.chained = false;
  desc.actions = [];
}

/** A chained line is in use from now on. Its chip must know the type, but may not choose the flow by it. */
function startChained(desc: IrqDesc, handle: FlowHandler): void {
  if (desc.type !== IRQ_TYPE_NONE) {
    __irqSetTrigger(desc, desc.type);
    desc.handleIrq = handle;
  }
  desc.settings |= IRQ_NOPROBE | IRQ_NOREQUEST | IRQ_NOTHREAD;
  desc.chained = true;
  desc.actions = [chainedAction(desc)];
  irqActivateAndStartup(desc, true);
}

/** Gives a line its flow handler (__irq_do_set_handler). */
function doSetHandler(desc: IrqDesc, { handle, chained, name }: HandlerChange): void {
  if (handle !== null && desc.chip === undefined) {
    desc.machine.warn('', '__irq_do_set_handler');
    return;
  }
  const flow = handle ?? handleBadIrq;
  if (flow === handleBadIrq) uninstall(desc, chained);
  desc.handleIrq = flow;
  desc.flowName = name;
  if (flow !== handleBadIrq && chained) startChained(desc, flow);
}

function checkHandle(irq: number, handle: FlowHandler | null): void {
  if (handle === null || typeof handle === 'function') return;
  throw new KernelError('EINVAL', `irq ${irq}: a flow handler is a function`, {
    hint: 'such as handleEdgeIrq; null takes it away',
  });
}

/**
 * Gives a line its flow handler; null takes it away, and disables the line (irq_set_handler). Any context; a line of a chip
 * behind a bus that sleeps: as {@link LineChange} says.
 *
 * @param name shown behind the trigger type in /proc/interrupts
 * @throws KernelError EINVAL for an unknown irq, and for what is no flow handler
 */
export function irqSetHandler(irq: number, handle: FlowHandler | null, name?: string): LineChange {
  checkHandle(irq, handle);
  return changeLine(descOf(irq), 'irq_set_handler', doSetHandler, { handle, chained: false, name });
}

/** A chip's setType chooses the flow that fits the type, in the midst of a change of the line (irq_set_handler_locked). */
export function irqSetHandlerLocked(desc: IrqDesc, handle: FlowHandler): void {
  desc.handleIrq = handle;
}

/** As {@link irqSetChip} and {@link irqSetHandler} (irq_set_chip_and_handler_name). */
export function irqSetChipAndHandler(irq: number, chip: IrqChip, handle: FlowHandler, name?: string): LineChange {
  irqSetChip(irq, chip);
  return irqSetHandler(irq, handle, name);
}

/**
 * Lets a chained handler own a line, and starts it up: it handles the lines of another controller behind this one, and no
 * action can be requested. Null takes it away (irq_set_chained_handler). As {@link irqSetHandler}.
 */
export function irqSetChainedHandler(irq: number, handle: FlowHandler | null): LineChange {
  return setChained(descOf(irq), handle, undefined);
}

/** As {@link irqSetChainedHandler}, with {@link IrqDesc.handlerData} (irq_set_chained_handler_and_data). */
export function irqSetChainedHandlerAndData(irq: number, handle: FlowHandler | null, data: unknown): LineChange {
  const desc = descOf(irq);
  desc.handlerData = data;
  return setChained(desc, handle, undefined);
}

/** As {@link irqSetChainedHandler}, also outside of the model's contexts, where a machine is put together. */
export function setChained(desc: IrqDesc, handle: FlowHandler | null, name: string | undefined): LineChange {
  checkHandle(desc.irq, handle);
  return changeLine(desc, 'irq_set_chained_handler', doSetHandler, { handle, chained: true, name });
}

/**
 * Configures the trigger type of a line (irq_set_irq_type). Any context; a line of a chip behind a bus that sleeps: as
 * {@link LineChange} says.
 *
 * @param type an IRQ_TYPE_ number
 * @throws KernelError EINVAL (unknown irq, no number, a line that each CPU has for itself), or what the chip says
 */
export function irqSetIrqType(irq: number, type: number): LineChange {
  const desc = descOf(irq);
  if ((desc.settings & IRQ_PER_CPU_DEVID) !== 0) {
    throw new KernelError('EINVAL', `irq ${irq} is a line that each CPU has for itself`, {
      hint: 'enable_percpu_irq() sets its type',
    });
  }
  if (!Number.isInteger(type)) {
    throw new KernelError('EINVAL', `irq ${irq}: trigger type ${type}`, { hint: 'IRQ_TYPE_ numbers, or-ed' });
  }
  return changeLine(desc, 'irq_set_irq_type', __irqSetTrigger, type);
}

/** Clears and sets status flags of a line (irq_modify_status). Any context. `EINVAL` for an unknown irq. */
export function irqModifyStatus(irq: number, clear: number, set: number): void {
  modifyStatus(descOf(irq), clear, set);
}

function modifyStatus(desc: IrqDesc, clear: number, set: number): void {
  // Who sets it on a line in use finds out by this, and not by a request that enables nothing.
  if (desc.depth === 0 && (set & IRQ_NOAUTOEN) !== 0) desc.machine.warnOnce('noautoen', '', 'irq_modify_status');
  desc.settings = (desc.settings & ~(clear & IRQF_MODIFY_MASK)) | (set & IRQF_MODIFY_MASK);
  const type = desc.settings & IRQ_TYPE_SENSE_MASK;
  if (type !== IRQ_TYPE_NONE) desc.type = type;
}

/** Sets status flags of a line (irq_set_status_flags). As {@link irqModifyStatus}. */
export function irqSetStatusFlags(irq: number, flags: number): void {
  irqModifyStatus(irq, 0, flags);
}

/** Clears status flags of a line (irq_clear_status_flags). As {@link irqModifyStatus}. */
export function irqClearStatusFlags(irq: number, flags: number): void {
  irqModifyStatus(irq, flags, 0);
}

/** Has a line be one that each CPU has for itself, with {@link IrqDesc.percpuEnabled} (irq_set_percpu_devid). `EINVAL` if it is. Any context. */
export function irqSetPercpuDevid(irq: number): void {
  const desc = descOf(irq);
  if (desc.percpuEnabled !== undefined) throw new KernelError('EINVAL', `irq ${irq} is a line of each CPU already`);
  setPercpuDevid(desc);
}

/** As {@link irqSetPercpuDevid}, also outside of the model's contexts, where a machine is put together. */
export function setPercpuDevid(desc: IrqDesc): void {
  desc.percpuEnabled = 0;
  modifyStatus(desc, 0, IRQ_NOAUTOEN | IRQ_PER_CPU | IRQ_NOTHREAD | IRQ_NOPROBE | IRQ_PER_CPU_DEVID);
}
