// Suspend and resume of interrupt lines, and lines that wake the machine up (kernel/irq/pm.c).
import { KernelError } from '../errno.js';
import { pmSystemIrqWakeup } from '../power/wakeup.js';
import { Request } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { callChip, maskIrq } from './chip.js';
import { changeLine, type LineChange } from './chip-bus.js';
import {
  IRQ_NESTED_THREAD,
  IRQ_PER_CPU_DEVID,
  IRQCHIP_ENABLE_WAKEUP_ON_SUSPEND,
  IRQCHIP_MASK_ON_SUSPEND,
  IRQCHIP_SKIP_SET_WAKE,
  IRQF_COND_SUSPEND,
  IRQF_EARLY_RESUME,
  IRQF_FORCE_RESUME,
  IRQF_NO_SUSPEND,
} from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { __disableIrq, __enableIrq } from './manage.js';
import { synchronizeIrq } from './synchronize.js';

/**
 * Asked by the flow handlers: true when the interrupt came on a line that is armed for wake-up. It is not handled then, but
 * kept until the line is resumed. Hard interrupt context.
 */
export function irqPmCheckWakeup(desc: IrqDesc): boolean {
  if (!desc.wakeupArmed) return false;
  desc.wakeupArmed = false;
  desc.suspended = true;
  desc.pending = true;
  __disableIrq(desc);
  pmSystemIrqWakeup(desc.machine, desc.irq);
  return true;
}

/** Counts a new action of a line, and what it asks of suspend and resume. */
export function irqPmInstallAction(desc: IrqDesc, action: IrqAction): void {
  const { machine } = desc;
  const all = ++desc.nrActions;
  if ((action.flags & IRQF_FORCE_RESUME) !== 0) desc.forceResumeDepth++;
  if (desc.forceResumeDepth !== 0 && desc.forceResumeDepth !== all) {
    machine.warnOnce('force_resume_depth', '', 'irq_pm_install_action');
  }
  if ((action.flags & IRQF_NO_SUSPEND) !== 0) desc.noSuspendDepth++;
  else if ((action.flags & IRQF_COND_SUSPEND) !== 0) desc.condSuspendDepth++;
  if (desc.noSuspendDepth !== 0 && desc.noSuspendDepth + desc.condSuspendDepth !== all) {
    machine.warnOnce('no_suspend_depth', '', 'irq_pm_install_action');
  }
}

/** Undoes {@link irqPmInstallAction} when the action leaves its line. */
export function irqPmRemoveAction(desc: IrqDesc, action: IrqAction): void {
  desc.nrActions--;
  if ((action.flags & IRQF_FORCE_RESUME) !== 0) desc.forceResumeDepth--;
  if ((action.flags & IRQF_NO_SUSPEND) !== 0) desc.noSuspendDepth--;
  else if ((action.flags & IRQF_COND_SUSPEND) !== 0) desc.condSuspendDepth--;
}

function chipHas(desc: IrqDesc, flag: number): boolean {
  return ((desc.chip?.flags ?? 0) & flag) !== 0;
}

/** Suspends a line, or arms it for wake-up; true when its handlers and threads have to be waited for. */
function suspendDeviceIrq(desc: IrqDesc): boolean {
  if (desc.actions.length === 0 || desc.chained || desc.noSuspendDepth > 0) return false;
  if (desc.wakeup) {
    desc.wakeupArmed = true;
    // One that its owner has disabled could not wake anything up.
    if (chipHas(desc, IRQCHIP_ENABLE_WAKEUP_ON_SUSPEND) && desc.disabled) {
      __enableIrq(desc);
      desc.enabledOnSuspend = true;
    }
    return true;
  }
  desc.suspended = true;
  __disableIrq(desc);
  // A chip that cannot choose what wakes the machine up must not see the others.
  if (chipHas(desc, IRQCHIP_MASK_ON_SUSPEND)) maskIrq(desc);
  return true;
}

/**
 * Suspends all lines but those with an IRQF_NO_SUSPEND action, and waits until none of their handlers and threads runs
 * (suspend_device_irqs). Interrupts of suspended lines are kept until {@link resumeDeviceIrqs}; the first one of a line that
 * {@link enableIrqWake} has armed is kept too, and wakes the machine up. Process context.
 */
export const suspendDeviceIrqs = effect(function* suspendDeviceIrqs() {
  for (const desc of thisCpu().machine.irqs) {
    if ((desc.settings & IRQ_NESTED_THREAD) !== 0) continue;
    if (suspendDeviceIrq(desc)) yield* synchronizeIrq(desc.irq);
  }
});

function resumeIrq(desc: IrqDesc): void {
  desc.wakeupArmed = false;
  if (desc.enabledOnSuspend) {
    __disableIrq(desc);
    desc.enabledOnSuspend = false;
  }
  if (!desc.suspended) {
    if (desc.forceResumeDepth === 0) return;
    // It was not suspended, but its chip may have lost its state: the line is set up as if it had been disabled.
    desc.depth++;
    desc.disabled = true;
    desc.masked = true;
  }
  desc.suspended = false;
  __enableIrq(desc);
}

/** Lines that resume deals with, early or not. The others' parent's thread would have to handle them. */
function* resumable(early: boolean): Generator<IrqDesc> {
  for (const desc of thisCpu().machine.irqs) {
    const isEarly = ((desc.actions[0]?.flags ?? 0) & IRQF_EARLY_RESUME) !== 0;
    if ((early && !isEarly) || (desc.settings & IRQ_NESTED_THREAD) !== 0) continue;
    yield desc;
  }
}

/**
 * Resumes the lines that {@link suspendDeviceIrqs} has suspended, and those with an IRQF_FORCE_RESUME action
 * (resume_device_irqs); kept interrupts are delivered as their line is. Process context.
 */
export const resumeDeviceIrqs = effect(function* resumeDeviceIrqs() {
  for (const desc of resumable(false)) {
    resumeIrq(desc);
    yield Request.point;
  }
});

/** Resumes the lines whose first action is IRQF_EARLY_RESUME, before devices are resumed (irq_pm_syscore_resume). Interrupts off. */
export function irqPmSyscoreResume(): void {
  for (const desc of resumable(true)) resumeIrq(desc);
}

/** Lets a line wake the machine up once more in the same suspend (rearm_wake_irq). As {@link disableIrqNosync}. */
export function rearmWakeIrq(irq: number): LineChange {
  return changeLine(wakeDesc(irq), 'rearm_wake_irq', rearm, undefined);
}

function rearm(desc: IrqDesc): void {
  if (!desc.suspended || !desc.wakeup) return;
  desc.suspended = false;
  desc.wakeupArmed = true;
  __enableIrq(desc);
}

function wakeDesc(irq: number): IrqDesc {
  const desc = thisCpu().machine.irqs.get(irq);
  if ((desc.settings & IRQ_PER_CPU_DEVID) === 0) return desc;
  throw new KernelError('EINVAL', `irq ${irq} is a per-CPU interrupt, which wakes nothing up`);
}

function setIrqWakeReal(desc: IrqDesc, on: boolean): void {
  const { chip } = desc;
  if (chip === undefined || chipHas(desc, IRQCHIP_SKIP_SET_WAKE)) return;
  const { setWake } = chip;
  if (setWake === undefined) {
    throw new KernelError('ENXIO', `irq ${desc.irq}: ${chip.name} cannot choose what wakes the machine up`);
  }
  callChip(desc, () => setWake.call(chip, desc, on));
}

function changeWake(desc: IrqDesc, on: boolean): void {
  if (!on && desc.wakeDepth === 0) {
    desc.machine.warn(`Unbalanced IRQ ${desc.irq} wake disable`, 'irq_set_irq_wake');
    return;
  }
  const before = desc.wakeDepth;
  desc.wakeDepth += on ? 1 : -1;
  if ((on ? before : desc.wakeDepth) !== 0) return;
  try {
    setIrqWakeReal(desc, on);
    desc.wakeup = on;
  } catch (error) {
    desc.wakeDepth = before;
    throw error;
  }
}

/**
 * Lets a line wake the machine up from suspend, or no longer (irq_set_irq_wake). Nests; it has nothing to do with whether
 * the line is enabled. As {@link disableIrqNosync}.
 *
 * @throws KernelError EINVAL (unknown or per-CPU irq), ENXIO (the chip has no such choice), or what the chip says
 */
export function irqSetIrqWake(irq: number, on: boolean): LineChange {
  return changeLine(wakeDesc(irq), 'irq_set_irq_wake', changeWake, on);
}

/** {@link irqSetIrqWake} on (enable_irq_wake). */
export function enableIrqWake(irq: number): LineChange {
  return irqSetIrqWake(irq, true);
}

/** {@link irqSetIrqWake} off; once too often is a WARN (disable_irq_wake). */
export function disableIrqWake(irq: number): LineChange {
  return irqSetIrqWake(irq, false);
}
