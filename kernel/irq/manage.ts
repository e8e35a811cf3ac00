// Enabling, disabling and freeing interrupts (kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { mutexLock, mutexUnlock } from '../locking/mutex.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { inInterrupt, inTask, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { irqDisable, irqShutdown, irqStartup } from './chip.js';
import { changeLine, chipBusLock, chipBusSyncUnlock, type LineChange } from './chip-bus.js';
import { IRQ_DISABLE_UNLAZY, IRQ_NOPROBE, IRQ_NOREQUEST, IRQ_PER_CPU_DEVID, IRQF_SHARED } from './flags.js';
import { wakeIrqThread } from './handle.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { irqPmRemoveAction } from './pm.js';
import { unregisterHandlerProc } from './proc.js';
import { releaseResources } from './request.js';
import { refuseOwnWait, synchronizeHardirq, synchronizeIrq, waitForLine } from './synchronize.js';
import { stopIrqThreads } from './thread.js';

/** The descriptor of a line that all CPUs share: one of each CPU is enabled and disabled on each. */
function globalDesc(irq: number): IrqDesc {
  const desc = thisCpu().machine.irqs.get(irq);
  if ((desc.settings & IRQ_PER_CPU_DEVID) === 0) return desc;
  throw new KernelError('EINVAL', `irq ${irq} is one of each CPU`, {
    hint: 'use enablePercpuIrq(), disablePercpuIrq()',
  });
}

/** Disables a line once more (__disable_irq); for the model's own rooms. */
export function __disableIrq(desc: IrqDesc): void {
  if (desc.depth++ === 0) irqDisable(desc);
}

/** Undoes one {@link __disableIrq} (__enable_irq); for the model's own rooms. */
export function __enableIrq(desc: IrqDesc): void {
  const { depth, irq, machine } = desc;
  if (depth > 1) {
    desc.depth--;
  } else if (depth === 0 || desc.suspended) {
    machine.warn(`Unbalanced enable for IRQ ${irq}`, '__enable_irq');
  } else {
    desc.settings |= IRQ_NOPROBE;
    irqStartup(desc, true);
  }
}

/**
 * Disables a line without waiting for its handlers (disable_irq_nosync). Nests. Any context; a line behind a bus that
 * sleeps: process context, with `yield*`, as {@link LineChange} says. `EINVAL` for an unknown irq.
 */
export function disableIrqNosync(irq: number): LineChange {
  return changeLine(globalDesc(irq), 'disable_irq_nosync', __disableIrq, undefined);
}

/**
 * Disables a line and waits for its handlers and threads (disable_irq). Nests. Process context.
 *
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a handler or a thread function of the line; nothing is disabled)
 */
export const disableIrq = effect(function* disableIrq(irq: number) {
  mightSleep('disable_irq');
  refuseOwnWait(globalDesc(irq), 'disable_irq()');
  yield* disableIrqNosync(irq);
  yield* synchronizeIrq(irq);
});

/**
 * Disables a line and waits, busy, for its handlers only (disable_hardirq). Nests. Any context, as {@link disableIrqNosync}.
 *
 * @returns false if a thread of the line is active
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a handler of the line, which is disabled all the same)
 */
export const disableHardirq = effect(function* disableHardirq(irq: number) {
  yield* disableIrqNosync(irq);
  return yield* synchronizeHardirq(irq);
});

/**
 * Undoes one disable; at the last one a kept edge is delivered (enable_irq). Any context; a line behind a bus that sleeps:
 * process context, with `yield*`, as {@link LineChange} says. `EINVAL` for an unknown irq.
 */
export function enableIrq(irq: number): LineChange {
  return changeLine(globalDesc(irq), 'enable_irq', __enableIrq, undefined);
}

/** Whether a request with these flags could be granted, as far as sharing goes (can_request_irq). Any context. */
export function canRequestIrq(irq: number, flags: number): boolean {
  const desc = thisCpu().machine.irqs.find(irq);
  if (desc === undefined || desc.chained || (desc.settings & IRQ_NOREQUEST) !== 0) return false;
  const [first] = desc.actions;
  return first === undefined || (flags & first.flags & IRQF_SHARED) !== 0;
}

/** Whether an interrupt is requested; false for an unknown irq (irq_has_action). Any context. */
export function irqHasAction(irq: number): boolean {
  const desc = thisCpu().machine.irqs.find(irq);
  return desc !== undefined && (desc.chained || desc.actions.length > 0);
}

/** Whether one of the IRQ_ status flags is set; false for an unknown irq (irq_check_status_bit). Any context. */
export function irqCheckStatusBit(irq: number, flags: number): boolean {
  return ((thisCpu().machine.irqs.find(irq)?.settings ?? 0) & flags) !== 0;
}

/** Names the interrupt whose thread handles this line's, to be resent in its place (irq_set_parent). `EINVAL` for an unknown irq. */
export function irqSetParent(irq: number, parentIrq: number): void {
  thisCpu().machine.irqs.get(irq).parentIrq = parentIrq;
}

/**
 * NULL is NULL, however it is spelt; what was registered first goes first, if the same dev_id is there twice. A chained
 * handler is nobody's to free, though in the kernel it answers to NULL.
 */
function actionOf(desc: IrqDesc, devId: unknown): IrqAction | undefined {
  if (desc.chained) return undefined;
  return desc.actions.find((action) => (action.devId ?? null) === (devId ?? null));
}

/** Wakes the thread of an action without its interrupt (irq_wake_thread); an unknown irq or dev_id is left alone. Any context. */
export function irqWakeThread(irq: number, devId: unknown): void {
  const { machine } = thisCpu();
  const desc = machine.irqs.find(irq);
  if (desc === undefined) return;
  if ((desc.settings & IRQ_PER_CPU_DEVID) !== 0) {
    machine.warn('', 'irq_wake_thread');
    return;
  }
  const action = actionOf(desc, devId);
  if (action?.thread !== undefined) wakeIrqThread(desc, action, action.thread);
}

/** Takes an action off its line, and shuts a line down that has none any more: what the kernel does with the line's lock held. */
function removeAction(desc: IrqDesc, action: IrqAction): void {
  action.removed = true;
  desc.actions = desc.actions.filter((other) => other !== action);
  irqPmRemoveAction(desc, action);
  if (desc.actions.length === 0) {
    desc.settings &= ~IRQ_DISABLE_UNLAZY;
    desc.storm?.release();
    irqShutdown(desc);
  }
  if (desc.affinityHint === 0) return;
  desc.machine.warnOnce('affinity_hint', '', 'free_irq');
  desc.affinityHint = 0;
}

/** What follows {@link removeAction}: handlers and threads end, and the last action's resources are given back. */
function* retireAction(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  unregisterHandlerProc(desc, action);
  yield* waitForLine(desc);
  yield* stopIrqThreads(action);
  if (desc.actions.length > 0) return;
  yield* chipBusLock(desc);
  desc.activated = false;
  yield* releaseResources(desc);
  yield* chipBusSyncUnlock(desc);
}

/** The rest of {@link freeIrq}, by whom it holds the line's request_mutex (__free_irq). */
function* freeAction(desc: IrqDesc, devId: unknown): Coroutine<string | undefined> {
  yield* chipBusLock(desc);
  const action = actionOf(desc, devId);
  if (action === undefined) desc.machine.warn(`Trying to free already-free IRQ ${desc.irq}`, 'free_irq');
  else removeAction(desc, action);
  yield* chipBusSyncUnlock(desc);
  if (action !== undefined) yield* retireAction(desc, action);
  return action?.name;
}

/** A thread that is to end has to be slept for. */
function refuseThreadStop(desc: IrqDesc, devId: unknown): void {
  if (inTask() || actionOf(desc, devId)?.thread === undefined) return;
  throw new KernelError('EDEADLK', `free_irq() of irq ${desc.irq} in interrupt context, where nothing can sleep`, {
    hint: 'its thread has to be waited for: free it in a task',
  });
}

/**
 * Frees a requested interrupt (free_irq): no handler of it runs any more when this returns. Process context.
 *
 * @returns the name under which it was requested; `undefined`, with a warning, if there is no such action
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a thread function of the line, or in interrupt context with a thread or the handler to wait for)
 */
export const freeIrq = effect(function* freeIrq(irq: number, devId?: unknown): Coroutine<string | undefined> {
  const { machine } = thisCpu();
  const desc = machine.irqs.get(irq);
  if ((desc.settings & IRQ_PER_CPU_DEVID) !== 0) {
    machine.warn('', 'free_irq');
    return undefined;
  }
  if (desc.affinityNotify !== undefined) {
    machine.warn('', 'free_irq');
    desc.affinityNotify = undefined;
  }
  if (inInterrupt()) machine.warn(`Trying to free IRQ ${irq} from IRQ context!`, 'free_irq');
  mightSleep('free_irq');
  refuseOwnWait(desc, 'free_irq()');
  refuseThreadStop(desc, devId);
  yield* mutexLock(desc.requestMutex);
  try {
    return yield* freeAction(desc, devId);
  } finally {
    mutexUnlock(desc.requestMutex);
  }
});
