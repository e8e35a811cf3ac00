// Lines at their chip: started and shut down, enabled and disabled, masked and unmasked (kernel/irq/chip.c).
import { runningCpu } from '../sched/current.js';
import { PREEMPT_OFFSET } from '../sched/preempt.js';
import { irqSetupAffinity } from './affinity.js';
import { IRQ_DISABLE_UNLAZY, IRQCHIP_AFFINITY_PRE_STARTUP, IRQCHIP_EOI_THREADED } from './flags.js';
import type { IrqDesc } from './irqdesc.js';
import { checkIrqResend, clearIrqResend } from './resend.js';

/**
 * Calls back a line's chip as the kernel does: with the line's lock held, so with preemption and interrupts off. There is
 * nothing to lock here, a plain function being atomic; but what the callback asks about its context must be right.
 */
export function callChip<R>(desc: IrqDesc, callback: (desc: IrqDesc, type: number) => R, type = 0): R {
  const cpu = runningCpu();
  if (cpu === undefined) return callback.call(desc.chip, desc, type);
  const { irqsEnabled } = cpu;
  const { look } = cpu.machine;
  cpu.irqsEnabled = false;
  cpu.preemptCount += PREEMPT_OFFSET;
  const before = look.others();
  try {
    return callback.call(desc.chip, desc, type);
  } finally {
    look.othersDone(before);
    cpu.preemptCount -= PREEMPT_OFFSET;
    cpu.irqsEnabled = irqsEnabled;
  }
}

/** Masks a line at its chip unless it is (mask_irq). */
export function maskIrq(desc: IrqDesc): void {
  if (desc.masked || desc.chip === undefined) return;
  callChip(desc, desc.chip.mask);
  desc.masked = true;
}

/** Unmasks a line at its chip unless it is (unmask_irq). */
export function unmaskIrq(desc: IrqDesc): void {
  if (!desc.masked || desc.chip === undefined) return;
  callChip(desc, desc.chip.unmask);
  desc.masked = false;
}

/** Unmasks a line whose threads are done, with the end of interrupt that was put off until then (unmask_threaded_irq). */
export function unmaskThreadedIrq(desc: IrqDesc): void {
  const { chip } = desc;
  if (chip?.eoi !== undefined && ((chip.flags ?? 0) & IRQCHIP_EOI_THREADED) !== 0) callChip(desc, chip.eoi);
  unmaskIrq(desc);
}

/** Acknowledges an interrupt at the line's chip, if that has to be. */
export function ackIrq(desc: IrqDesc): void {
  if (desc.chip?.ack !== undefined) callChip(desc, desc.chip.ack);
}

/** Masks a line and acknowledges its interrupt, in one call if the chip has one (mask_ack_irq). */
export function maskAckIrq(desc: IrqDesc): void {
  if (desc.chip?.maskAck === undefined) {
    maskIrq(desc);
    ackIrq(desc);
    return;
  }
  callChip(desc, desc.chip.maskAck);
  desc.masked = true;
}

/** Enables a line, or unmasks one that is enabled (irq_enable). */
function irqEnable(desc: IrqDesc): void {
  const enable = desc.chip?.enable;
  if (!desc.disabled || enable === undefined) {
    desc.disabled = false;
    unmaskIrq(desc);
    return;
  }
  desc.disabled = false;
  callChip(desc, enable);
  desc.masked = false;
}

function disable(desc: IrqDesc, mask: boolean): void {
  if (!desc.disabled) {
    desc.disabled = true;
    if (desc.chip?.disable !== undefined) {
      callChip(desc, desc.chip.disable);
      desc.masked = true;
      return;
    }
  }
  if (mask) maskIrq(desc);
}

/**
 * Disables a line (irq_disable). A chip without `disable` is left alone unless the line is IRQ_DISABLE_UNLAZY: that the line
 * is masked only when an interrupt comes meanwhile, which then is kept, spares the hardware the usual case.
 */
export function irqDisable(desc: IrqDesc): void {
  disable(desc, (desc.settings & IRQ_DISABLE_UNLAZY) !== 0);
}

/** Enables a per-CPU line on one CPU, the running one (irq_percpu_enable). */
export function irqPercpuEnable(desc: IrqDesc, cpuId: number): void {
  const { chip } = desc;
  if (chip !== undefined) callChip(desc, chip.enable ?? chip.unmask);
  desc.percpuEnabled = (desc.percpuEnabled ?? 0) | (1 << cpuId);
}

/** Disables a per-CPU line on one CPU, the running one (irq_percpu_disable). */
export function irqPercpuDisable(desc: IrqDesc, cpuId: number): void {
  const { chip } = desc;
  if (chip !== undefined) callChip(desc, chip.disable ?? chip.mask);
  desc.percpuEnabled = (desc.percpuEnabled ?? 0) & ~(1 << cpuId);
}

/** Makes a line ready to be started; its domain could still refuse here (irq_activate). */
export function irqActivate(desc: IrqDesc): void {
  desc.activated = true;
}

function startAtChip(desc: IrqDesc): void {
  const { chip, machine } = desc;
  if (!desc.activated) machine.warnOnce('startup without activation', '', '__irq_startup');
  if (chip?.startup === undefined) {
    irqEnable(desc);
  } else {
    callChip(desc, chip.startup);
    desc.disabled = false;
    desc.masked = false;
  }
  desc.started = true;
}

/**
 * Starts a line, with its CPUs chosen, or goes on with one that was started before; it is enabled then, whatever its depth
 * was (irq_startup). With `resend`, an interrupt that was kept comes now.
 */
export function irqStartup(desc: IrqDesc, resend: boolean): void {
  desc.depth = 0;
  if (desc.started) {
    irqEnable(desc);
  } else {
    const affinityFirst = ((desc.chip?.flags ?? 0) & IRQCHIP_AFFINITY_PRE_STARTUP) !== 0;
    if (affinityFirst) irqSetupAffinity(desc);
    startAtChip(desc);
    if (!affinityFirst) irqSetupAffinity(desc);
  }
  if (resend) checkIrqResend(desc, false);
}

/** As {@link irqStartup}, of a line that nobody has made ready (irq_activate_and_startup). */
export function irqActivateAndStartup(desc: IrqDesc, resend: boolean): void {
  irqActivate(desc);
  irqStartup(desc, resend);
}

/** Shuts a line down that has lost its last action, and masks it (irq_shutdown). What it has kept stays kept. */
export function irqShutdown(desc: IrqDesc): void {
  if (!desc.started) return;
  clearIrqResend(desc);
  desc.depth = 1;
  if (desc.chip?.shutdown === undefined) {
    disable(desc, true);
  } else {
    callChip(desc, desc.chip.shutdown);
    desc.disabled = true;
    desc.masked = true;
  }
  desc.started = false;
}
