// Interrupts that were kept come again: by the hardware if it can, else from a tasklet (kernel/irq/resend.c).
import { ERRNO, KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { finishOutcome } from '../sched/atomic.js';
import { localIrqDisable, localIrqEnable } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { Tasklet, taskletSchedule } from '../softirq/tasklet.js';
import { callChip } from './chip.js';
import { changeLine, type LineChange } from './chip-bus.js';
import { IRQ_NESTED_THREAD, IRQCHIP_STATE_PENDING } from './flags.js';
import type { IrqDesc } from './irqdesc.js';

/** Lines whose flow handler runs next in softirq context, on the CPU that asked first. */
class ResendList {
  /** The one that was added last is handled first. */
  #lines: IrqDesc[] = [];
  readonly #tasklet = new Tasklet(() => this.#handle());

  constructor() {
    this.#tasklet.name = 'resend_irqs';
  }

  add(desc: IrqDesc): void {
    if (!desc.resendQueued) this.#lines.push(desc);
    desc.resendQueued = true;
    taskletSchedule(this.#tasklet);
  }

  remove(desc: IrqDesc): void {
    desc.resendQueued = false;
    this.#lines = this.#lines.filter((line) => line !== desc);
  }

  /** The tasklet: interrupts are off around the flow handlers, as in an interrupt. */
  *#handle(): Coroutine<void> {
    localIrqDisable();
    try {
      for (let desc = this.#lines.pop(); desc !== undefined; desc = this.#lines.pop()) {
        desc.resendQueued = false;
        yield* finishOutcome(desc.handleIrq(desc));
      }
    } finally {
      localIrqEnable();
    }
  }
}

const lists = new WeakMap<Machine, ResendList>();

function resendListOf(machine: Machine): ResendList {
  let list = lists.get(machine);
  if (list === undefined) {
    list = new ResendList();
    lists.set(machine, list);
  }
  return list;
}

/** Takes a line off the list of those that the tasklet handles (clear_irq_resend). */
export function clearIrqResend(desc: IrqDesc): void {
  if (desc.resendQueued) resendListOf(desc.machine).remove(desc);
}

/** 0, or the negative errno of a line that cannot be handled outside of its own interrupt (irq_sw_resend). */
function softwareResend(desc: IrqDesc): number {
  if (desc.enforceIrqctx) return -ERRNO.EINVAL;
  if ((desc.settings & IRQ_NESTED_THREAD) === 0) {
    resendListOf(desc.machine).add(desc);
    return 0;
  }
  // A nested line is handled by the thread of its parent, which looks at the hardware.
  const parent = desc.machine.irqs.find(desc.parentIrq);
  if (parent === undefined) return -ERRNO.EINVAL;
  resendListOf(desc.machine).add(parent);
  return 0;
}

/**
 * Has a kept interrupt come again, once (check_irq_resend). A level does not: if it matters it is still there. With `inject`
 * also one that was not kept.
 *
 * @returns 0, or the negative errno: EINVAL (a level, or a line that cannot be resent), EBUSY (one is on its way)
 */
export function checkIrqResend(desc: IrqDesc, inject: boolean): number {
  if (desc.isLevel) {
    desc.pending = false;
    return -ERRNO.EINVAL;
  }
  if (desc.replay) return -ERRNO.EBUSY;
  if (!desc.pending && !inject) return 0;
  desc.pending = false;
  const retriggered = desc.chip?.retrigger !== undefined && callChip(desc, desc.chip.retrigger);
  const err = retriggered ? 0 : softwareResend(desc);
  if (err === 0) desc.replay = true;
  return err;
}

function setPendingAtChip(desc: IrqDesc): boolean {
  const { chip } = desc;
  const setState = chip?.setIrqchipState;
  if (setState === undefined) return false;
  try {
    callChip(desc, () => setState.call(chip, desc, IRQCHIP_STATE_PENDING, true));
    return true;
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

function inject(desc: IrqDesc): void {
  if (setPendingAtChip(desc)) return;
  const { irq } = desc;
  if (!desc.activated) throw new KernelError('EINVAL', `irq ${irq} is not in use`, { hint: 'request it first' });
  const err = checkIrqResend(desc, true);
  if (err === -ERRNO.EBUSY) throw new KernelError('EBUSY', `irq ${irq}: an interrupt is on its way already`);
  if (err !== 0) throw new KernelError('EINVAL', `irq ${irq}: a level, or a line that cannot be resent`);
}

/**
 * Makes an interrupt come that the hardware has not raised, for tests (irq_inject_interrupt). Any context; a chip behind a
 * bus that sleeps: as {@link LineChange} says.
 *
 * @throws KernelError EINVAL (unknown irq, not requested, a level, cannot be resent), EBUSY (one is on its way already)
 */
export function irqInjectInterrupt(irq: number): LineChange {
  return changeLine(thisCpu().machine.irqs.get(irq), 'irq_inject_interrupt', inject, undefined);
}
