// Suspend and resume of interrupt lines, and lines that wake the system up (kernel/irq/pm.c).
import { IRQF_COND_SUSPEND, IRQF_FORCE_RESUME, IRQF_NO_SUSPEND } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { __disableIrq } from './manage.js';

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
  return true;
}

/** Counts what a new action of a line asks of suspend and resume; called when it is among {@link IrqDesc.actions}. */
export function irqPmInstallAction(desc: IrqDesc, action: IrqAction): void {
  const { machine } = desc;
  const all = desc.actions.length;
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
  if ((action.flags & IRQF_FORCE_RESUME) !== 0) desc.forceResumeDepth--;
  if ((action.flags & IRQF_NO_SUSPEND) !== 0) desc.noSuspendDepth--;
  else if ((action.flags & IRQF_COND_SUSPEND) !== 0) desc.condSuspendDepth--;
}
