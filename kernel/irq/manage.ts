// Enabling, disabling, waiting for and freeing interrupts (kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { kthreadStop, mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, inInterrupt, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { irqDisable, irqShutdownAndDeactivate, irqStartup } from './chip.js';
import { wakeIrqThread } from './handle.js';
import type { IrqDesc } from './irqdesc.js';
import { unregisterHandlerProc } from './proc.js';

/** Wakes the thread of an action without its interrupt (irq_wake_thread); an unknown irq or dev_id is left alone. Any context. */
export function irqWakeThread(irq: number, devId: unknown): void {
  const desc = thisCpu().machine.irqs.find(irq);
  const action = desc?.actions.find((candidate) => (candidate.devId ?? null) === (devId ?? null));
  if (desc !== undefined && action?.thread !== undefined) wakeIrqThread(desc, action, action.thread);
}

/** Who would wait for its own line, or where nothing can wait, would wait for ever; the kernel hangs there. */
function refuseOwnWait(desc: IrqDesc, what: string): void {
  const task = current();
  const own = desc.actions.some(({ thread, inThread }) => inThread && thread === task);
  if (!own && !inInterrupt()) return;
  const where = inInterrupt()
    ? 'in interrupt context, where nothing can wait'
    : 'in its own thread, which it would wait for';
  throw new KernelError('EDEADLK', `${what} of irq ${desc.irq} ${where}`, {
    hint: 'disable_irq_nosync() does not wait',
  });
}

/**
 * Waits until no handler and no thread of the line is running (synchronize_irq). Process context.
 *
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a thread function of the line, or in interrupt context)
 */
export const synchronizeIrq = effect(function* synchronizeIrq(irq: number) {
  mightSleep('synchronize_irq');
  const task = current();
  const desc = thisCpu().machine.irqs.get(irq);
  refuseOwnWait(desc, 'synchronize_irq()');
  desc.waiters.add(task);
  while (desc.inProgress || desc.threadsActive > 0) {
    task.state = TASK_UNINTERRUPTIBLE;
    yield Request.schedule;
  }
  desc.waiters.delete(task);
});

/**
 * Frees a requested interrupt (free_irq): no handler of it runs any more when this returns. Process context.
 *
 * @returns the name under which it was requested; `undefined`, with a warning, if there is no such action
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a thread function of the line, or in interrupt context)
 */
export const freeIrq = effect(function* freeIrq(irq: number, devId?: unknown): Coroutine<string | undefined> {
  const { machine } = thisCpu();
  if (inInterrupt()) machine.printk('warning', `Trying to free IRQ ${irq} from IRQ context!`);
  mightSleep('free_irq');
  const desc = machine.irqs.get(irq);
  refuseOwnWait(desc, 'free_irq()');
  // Only what was registered first goes, if the same dev_id is there twice. NULL is NULL, however it is spelt.
  const action = desc.actions.find((candidate) => (candidate.devId ?? null) === (devId ?? null));
  if (action === undefined) {
    machine.warn(`Trying to free already-free IRQ ${irq}`, 'free_irq');
    return undefined;
  }
  action.removed = true;
  desc.actions = desc.actions.filter((other) => other !== action);
  if (desc.actions.length === 0) irqShutdownAndDeactivate(desc);
  unregisterHandlerProc(desc, action);
  yield* synchronizeIrq(irq);
  if (action.thread !== undefined) yield* kthreadStop(action.thread);
  return action.name;
});

/** Disables a line once more (__disable_irq). */
export function __disableIrq(desc: IrqDesc): void {
  if (desc.depth++ === 0) irqDisable(desc);
}

/** Disables a line without waiting for its handlers (disable_irq_nosync). Nests. Any context. `EINVAL` for an unknown irq. */
export function disableIrqNosync(irq: number): void {
  __disableIrq(thisCpu().machine.irqs.get(irq));
}

/**
 * Disables a line and waits for its handlers and threads (disable_irq). Nests. Process context.
 *
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a handler or a thread function of the line; nothing is disabled)
 */
export const disableIrq = effect(function* disableIrq(irq: number) {
  mightSleep('disable_irq');
  refuseOwnWait(thisCpu().machine.irqs.get(irq), 'disable_irq()');
  disableIrqNosync(irq);
  yield* synchronizeIrq(irq);
});

/** Undoes one disable, at the last one starts the line up again (__enable_irq). The last one of a suspended line is not its owner's. */
export function __enableIrq(desc: IrqDesc): void {
  const { machine, irq } = desc;
  if (desc.depth === 0 || (desc.depth === 1 && desc.suspended)) {
    machine.warn(`Unbalanced enable for IRQ ${irq}`, '__enable_irq');
    return;
  }
  if (desc.depth > 1) {
    desc.depth--;
    return;
  }
  irqStartup(desc, true);
}

/** Undoes one disable; at the last one a kept edge is delivered (enable_irq). Any context. `EINVAL` for an unknown irq. */
export function enableIrq(irq: number): void {
  __enableIrq(thisCpu().machine.irqs.get(irq));
}
