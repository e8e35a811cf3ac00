// Interrupts that each CPU has for itself, such as its timer's (request_percpu_irq in kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { PerCpu } from '../lib/percpu.js';
import { mightSleep } from '../sched/core.js';
import { inInterrupt, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { irqPercpuDisable, irqPercpuEnable } from './chip.js';
import { chipBusLock, chipBusSyncUnlock } from './chip-bus.js';
import {
  IRQ_NOREQUEST,
  IRQ_PER_CPU_DEVID,
  IRQ_TYPE_NONE,
  IRQ_TYPE_SENSE_MASK,
  IRQF_NO_SUSPEND,
  IRQF_PERCPU,
  IRQF_TIMER,
} from './flags.js';
import type { IrqDesc, IrqHandler } from './irqdesc.js';
import { unregisterHandlerProc } from './proc.js';
import { newAction, setupIrq } from './request.js';
import { __irqSetTrigger } from './trigger.js';

function isPercpuDevid(desc: IrqDesc): boolean {
  return (desc.settings & IRQ_PER_CPU_DEVID) !== 0;
}

function percpuDesc(irq: number): IrqDesc {
  const desc = thisCpu().machine.irqs.get(irq);
  if (isPercpuDevid(desc)) return desc;
  throw new KernelError('EINVAL', `irq ${irq} is one that all CPUs share`, {
    hint: 'irqSetPercpuDevid() makes it one of each CPU',
  });
}

/**
 * Requests an interrupt that each CPU has for itself (request_percpu_irq). It is enabled on no CPU:
 * {@link enablePercpuIrq} does that on each. Process context.
 *
 * @param devId a per-CPU variable; the handler gets the value of the CPU that it runs on
 * @param flags 0, or IRQF_TIMER for the CPUs' timer (__request_percpu_irq)
 * @throws KernelError EINVAL (unknown irq, one that all CPUs share, other flags), EBUSY (taken), ENOSYS (no chip)
 */
export const requestPercpuIrq = effect(function* requestPercpuIrq(
  irq: number,
  handler: IrqHandler,
  name: string,
  devId: PerCpu<unknown>,
  flags = 0,
) {
  if (!(devId instanceof PerCpu)) {
    throw new KernelError('EINVAL', `irq ${irq}: its handler gets data of each CPU`, {
      hint: 'hand in new PerCpu((cpu) => ...)',
    });
  }
  const desc = percpuDesc(irq);
  if (typeof handler !== 'function') throw new KernelError('EINVAL', `irq ${irq}: the handler is a function`);
  if ((desc.settings & IRQ_NOREQUEST) !== 0) throw new KernelError('EINVAL', `irq ${irq} cannot be requested`);
  if (flags !== 0 && flags !== IRQF_TIMER) {
    throw new KernelError('EINVAL', `irq ${irq}: of each CPU's own interrupts the only flag is IRQF_TIMER`);
  }
  mightSleep('request_percpu_irq');
  const action = newAction(desc, {
    handler,
    threadFn: undefined,
    flags: flags | IRQF_PERCPU | IRQF_NO_SUSPEND,
    name,
    devId: undefined,
    percpuDevId: devId,
  });
  yield* setupIrq(desc, action);
});

/**
 * Enables the running CPU's interrupt (enable_percpu_irq). Any context that stays on its CPU.
 *
 * @param type the trigger type, by default the line's; the chip's refusal is reported, and nothing enabled
 * @throws KernelError EINVAL (unknown irq, one that all CPUs share)
 */
export function enablePercpuIrq(irq: number, type = IRQ_TYPE_NONE): void {
  const desc = percpuDesc(irq);
  const asked = type & IRQ_TYPE_SENSE_MASK;
  const wanted = asked === IRQ_TYPE_NONE ? desc.type : asked;
  try {
    if (wanted !== IRQ_TYPE_NONE) __irqSetTrigger(desc, wanted);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    desc.machine.warn(`failed to set type for IRQ${irq}`, 'enable_percpu_irq');
    return;
  }
  irqPercpuEnable(desc, thisCpu().id);
}

/** Disables the running CPU's interrupt (disable_percpu_irq). As {@link enablePercpuIrq}. */
export function disablePercpuIrq(irq: number): void {
  irqPercpuDisable(percpuDesc(irq), thisCpu().id);
}

/** Whether the running CPU's interrupt is enabled (irq_percpu_is_enabled). As {@link enablePercpuIrq}. */
export function irqPercpuIsEnabled(irq: number): boolean {
  return ((percpuDesc(irq).percpuEnabled ?? 0) & (1 << thisCpu().id)) !== 0;
}

/** Takes the action off, unless it is another's or some CPU still has it enabled (__free_percpu_irq). */
function removePercpuAction(desc: IrqDesc, devId: PerCpu<unknown>): void {
  const { irq, machine, percpuEnabled = 0 } = desc;
  const where = '__free_percpu_irq';
  const [action] = desc.actions;
  if (action === undefined || action.percpuDevId !== devId) {
    machine.warn(`Trying to free already-free IRQ ${irq}`, where);
    return;
  }
  if (percpuEnabled !== 0) {
    const first = 31 - Math.clz32(percpuEnabled & -percpuEnabled);
    machine.warn(`percpu IRQ ${irq} still enabled on CPU${first}!`, where);
    return;
  }
  action.removed = true;
  desc.actions = [];
  unregisterHandlerProc(desc, action);
}

/**
 * Frees an interrupt that each CPU has for itself, disabled on all of them; what is wrong is reported, and nothing freed
 * (free_percpu_irq). Process context.
 *
 * @throws KernelError EINVAL (unknown irq, one that all CPUs share)
 */
export const freePercpuIrq = effect(function* freePercpuIrq(irq: number, devId: PerCpu<unknown>) {
  const desc = percpuDesc(irq);
  if (inInterrupt()) desc.machine.warn(`Trying to free IRQ ${irq} from IRQ context!`, '__free_percpu_irq');
  yield* chipBusLock(desc);
  removePercpuAction(desc, devId);
  yield* chipBusSyncUnlock(desc);
});
