// Requesting interrupts: the checks, the trigger type, the first start of a line (__setup_irq in kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { mutexLock, mutexUnlock } from '../locking/mutex.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { callProcess, effect, finish } from '../sched/effect.js';
import { irqActivate, irqStartup } from './chip.js';
import { chipBusLock, chipBusSyncUnlock } from './chip-bus.js';
import {
  IRQ_NESTED_THREAD,
  IRQ_NO_BALANCING,
  IRQ_NO_DEBUG,
  IRQ_NOREQUEST,
  IRQ_NOTCONNECTED,
  IRQ_NOTHREAD,
  IRQ_PER_CPU,
  IRQ_PER_CPU_DEVID,
  IRQC_IS_HARDIRQ,
  IRQC_IS_NESTED,
  IRQCHIP_ONESHOT_SAFE,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_DEBUG,
  IRQF_NO_SUSPEND,
  IRQF_NOBALANCING,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_MASK,
} from './flags.js';
import type { IrqAction, IrqDesc, IrqHandler, IrqThreadFn } from './irqdesc.js';
import { __enableIrq } from './manage.js';
import { irqPmInstallAction } from './pm.js';
import { registerHandlerProc, registerIrqProc } from './proc.js';
import {
  irqDefaultPrimaryHandler,
  irqNestedPrimaryHandler,
  irqSetupForcedThreading,
  setupIrqThreads,
  stopIrqThreads,
  wakeUpIrqThreads,
} from './thread.js';
import { __irqSetTrigger, irqdSetTriggerType } from './trigger.js';

/** ONESHOT actions that a line may have: a bit of a long each. */
const ONESHOT_MAX = 64;

function invalid(message: string): KernelError {
  return new KernelError('EINVAL', message);
}

/** A check that C has no need of. */
function checkIsFlags(irq: number, flags: number): void {
  if (Number.isInteger(flags)) return;
  throw new KernelError('EINVAL', `irq ${irq}: flags ${flags}`, { hint: 'IRQF_ flags, or-ed; 0 for none' });
}

/** Flags of a request without a thread function: it takes ONESHOT on if the line has it. `EINVAL` for what is no number. */
export function withCondOneshot(irq: number, flags: number): number {
  checkIsFlags(irq, flags);
  return flags | IRQF_COND_ONESHOT;
}

/** The checks on flags, in the kernel's order. */
function checkFlags(irq: number, flags: number, devId: unknown): void {
  checkIsFlags(irq, flags);
  const shared = (flags & IRQF_SHARED) !== 0;
  if (shared && (devId === null || devId === undefined)) {
    throw new KernelError('EINVAL', `irq ${irq}: IRQF_SHARED needs a dev_id, which tells the sharers apart`, {
      hint: "hand in an object of the driver's own as the last argument, and the same to free_irq()",
    });
  }
  if (shared && (flags & IRQF_NO_AUTOEN) !== 0) throw invalid(`irq ${irq}: IRQF_NO_AUTOEN cannot be shared`);
  if (!shared && (flags & IRQF_COND_SUSPEND) !== 0) throw invalid(`irq ${irq}: IRQF_COND_SUSPEND needs IRQF_SHARED`);
  if ((flags & IRQF_NO_SUSPEND) !== 0 && (flags & IRQF_COND_SUSPEND) !== 0) {
    throw invalid(`irq ${irq}: IRQF_NO_SUSPEND and IRQF_COND_SUSPEND exclude each other`);
  }
}

/** The checks on a line that need nothing of the request. */
function checkLine(desc: IrqDesc): void {
  const { irq, settings, machine } = desc;
  if (desc.chained) throw invalid(`irq ${irq} belongs to a chained handler`);
  if ((settings & IRQ_NOREQUEST) !== 0) throw invalid(`irq ${irq} cannot be requested (IRQ_NOREQUEST)`);
  if ((settings & IRQ_PER_CPU_DEVID) === 0) return;
  machine.warn('', 'request_threaded_irq');
  throw new KernelError('EINVAL', `irq ${irq} is one of each CPU`, { hint: 'use requestPercpuIrq()' });
}

function checkFunctions(irq: number, handler: unknown, threadFn: unknown): void {
  if (handler === null && threadFn === null) throw invalid(`irq ${irq}: neither a handler nor a thread function`);
  if (![handler, threadFn].every((fn) => fn === null || typeof fn === 'function')) {
    throw invalid(`irq ${irq}: handler and thread function are functions, or null for none`);
  }
}

/** An action as it was asked for, on no line yet. `EINVAL` for a name that is none. */
export function newAction(
  desc: IrqDesc,
  asked: Pick<IrqAction, 'handler' | 'threadFn' | 'flags' | 'name' | 'devId' | 'percpuDevId'>,
): IrqAction {
  if (typeof asked.name !== 'string') {
    throw new KernelError('EINVAL', `irq ${desc.irq}: the name is a text, not ${asked.name}`, {
      hint: 'as /proc/interrupts is to show it',
    });
  }
  return {
    ...asked,
    irq: desc.irq,
    nameId: desc.machine.trace.intern(asked.name),
    thread: undefined,
    secondary: undefined,
    oneshot: false,
    oneshotPending: false,
    runThread: false,
    warned: false,
    forcedThread: false,
    threadAffinityDue: false,
    ready: false,
    inThread: false,
    removed: false,
  };
}

/** A further action must agree with the first in sharing, trigger, oneshot and percpu; it can take ONESHOT over. */
function agreeWith(first: IrqAction, desc: IrqDesc, action: IrqAction): void {
  const trigger = action.flags & IRQF_TRIGGER_MASK;
  // As in the kernel, whoever comes second fixes the type, even against the first.
  if (!desc.typeFixed) irqdSetTriggerType(desc, trigger);
  if ((first.flags & action.flags & IRQF_SHARED) === 0 || trigger !== desc.type) throw mismatch(desc, action, first);
  if ((first.flags & IRQF_ONESHOT) !== 0 && (action.flags & IRQF_COND_ONESHOT) !== 0) action.flags |= IRQF_ONESHOT;
  if (((first.flags ^ action.flags) & (IRQF_ONESHOT | IRQF_PERCPU)) !== 0) throw mismatch(desc, action, first);
}

function mismatch(desc: IrqDesc, { flags, name }: IrqAction, first: IrqAction): KernelError {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const message = `Flags mismatch irq ${desc.irq}. ${hex(flags)} (${name}) vs. ${hex(first.flags)} (${first.name})`;
  if ((flags & IRQF_PROBE_SHARED) === 0) desc.machine.printk('err', `genirq: ${message}`);
  return new KernelError('EBUSY', message, {
    subject: first.name,
    hint: `free the interrupt of '${first.name}' first, or request both with IRQF_SHARED and the same trigger`,
  });
}

/** What ONESHOT needs: a bit for each thread, and all threads without a primary handler need ONESHOT. */
function setupOneshot(desc: IrqDesc, action: IrqAction): void {
  if ((action.flags & IRQF_ONESHOT) !== 0) {
    if (desc.actions.filter(({ oneshot }) => oneshot).length >= ONESHOT_MAX) {
      throw new KernelError('EBUSY', `irq ${desc.irq} has ${ONESHOT_MAX} ONESHOT actions already`);
    }
    action.oneshot = true;
  } else if (action.handler === irqDefaultPrimaryHandler && ((desc.chip?.flags ?? 0) & IRQCHIP_ONESHOT_SAFE) === 0) {
    const message = `Threaded irq requested with handler=NULL and !ONESHOT for ${action.name} (irq ${desc.irq})`;
    desc.machine.printk('err', `genirq: ${message}`);
    throw invalid(message);
  }
}

/** A line gets its first action: it is configured, and started up unless the request or the line says that enable_irq does it. */
function setupFirst(desc: IrqDesc, { flags }: IrqAction): void {
  if ((flags & IRQF_TRIGGER_MASK) !== 0) __irqSetTrigger(desc, flags & IRQF_TRIGGER_MASK);
  irqActivate(desc);
  desc.spuriousDisabled = false;
  desc.inProgress = false;
  desc.oneshot = (flags & IRQF_ONESHOT) !== 0;
  if ((flags & IRQF_PERCPU) !== 0) {
    desc.settings |= IRQ_PER_CPU;
    if ((flags & IRQF_NO_DEBUG) !== 0) desc.settings |= IRQ_NO_DEBUG;
  }
  if (desc.machine.irqs.spurious.noirqdebug) desc.settings |= IRQ_NO_DEBUG;
  if ((flags & IRQF_NOBALANCING) !== 0) desc.settings |= IRQ_NO_BALANCING;
  if ((flags & IRQF_NO_AUTOEN) === 0 && !desc.noAutoen) {
    irqStartup(desc, true);
    return;
  }
  // A second sharer would find the line disabled, and not know that it has to enable it.
  if ((flags & IRQF_SHARED) !== 0) desc.machine.warnOnce('shared noautoen', '', '__setup_irq');
  desc.depth = 1;
}

/** Puts an action on its line: what the kernel does with the line's lock held. */
function installAction(desc: IrqDesc, action: IrqAction): void {
  const [first] = desc.actions;
  if (first !== undefined) agreeWith(first, desc, action);
  setupOneshot(desc, action);
  if (first === undefined) setupFirst(desc, action);
  desc.actions = [...desc.actions, action];
  irqPmInstallAction(desc, action);
  desc.irqCount = 0;
  desc.irqsUnhandled = 0;
  // Nobody had cared for it: it has another chance.
  if (first === undefined || !desc.spuriousDisabled) return;
  desc.spuriousDisabled = false;
  __enableIrq(desc);
}

function* requestResources(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  const { chip, irq, machine } = desc;
  if (chip?.requestResources === undefined) return;
  try {
    yield* finish(callProcess(() => chip.requestResources?.(desc)));
  } catch (error) {
    const text = `genirq: Failed to request resources for ${action.name} (irq ${irq}) on irqchip ${chip.name}`;
    machine.printk('err', text);
    throw error;
  }
}

/** Gives back what a line without actions had (irq_release_resources). Process context. */
export function* releaseResources(desc: IrqDesc): Coroutine<void> {
  const { chip } = desc;
  if (chip?.releaseResources !== undefined) yield* finish(callProcess(() => chip.releaseResources?.(desc)));
}

/** Puts an action on its line, with the line's bus locked. */
function* installOverBus(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  yield* chipBusLock(desc);
  try {
    if (desc.actions.length === 0) yield* requestResources(desc, action);
    try {
      installAction(desc, action);
      // Interrupts are on again: one that has waited for the line comes in now.
      yield Request.point;
    } catch (error) {
      if (desc.actions.length === 0) yield* releaseResources(desc);
      throw error;
    }
  } finally {
    yield* chipBusSyncUnlock(desc);
  }
}

/**
 * Gives an action to a line (__setup_irq): it takes the line's trigger type if it asks for none, and the threads that it
 * needs. Process context.
 */
export function* setupIrq(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  const { irq, chip, settings } = desc;
  if (chip === undefined) throw new KernelError('ENOSYS', `irq ${irq} has no interrupt chip`);
  if ((action.flags & IRQF_TRIGGER_MASK) === 0) action.flags |= desc.type;
  if ((settings & IRQ_NESTED_THREAD) !== 0) {
    if (action.threadFn === undefined) {
      throw new KernelError(
        'EINVAL',
        `irq ${irq} is handled in the thread of its parent, and needs a thread function`,
        {
          hint: 'use requestAnyContextIrq(), or requestThreadedIrq() with a thread function',
        },
      );
    }
    action.handler = irqNestedPrimaryHandler;
  } else {
    if ((settings & IRQ_NOTHREAD) === 0) irqSetupForcedThreading(desc, action);
    setupIrqThreads(desc, action);
  }
  if (((chip.flags ?? 0) & IRQCHIP_ONESHOT_SAFE) !== 0) action.flags &= ~IRQF_ONESHOT;
  try {
    yield* mutexLock(desc.requestMutex);
    try {
      yield* installOverBus(desc, action);
    } finally {
      mutexUnlock(desc.requestMutex);
    }
  } catch (error) {
    yield* stopIrqThreads(action);
    throw error;
  }
  yield* wakeUpIrqThreads(desc, action);
  registerIrqProc(desc);
  registerHandlerProc(desc, action);
}

/**
 * Requests an interrupt with a top half and a thread (request_threaded_irq). Process context.
 *
 * @param handler top half, or null for one that only wakes the thread (needs IRQF_ONESHOT)
 * @param threadFn thread function, or null for none
 * @param name shown in /proc/interrupts and as the thread's name
 * @param devId handed to both functions, and tells the sharers of a line apart
 * @throws KernelError EINVAL (unknown irq, impossible flags, no function, a line that cannot be requested), EBUSY (taken, flags
 *   mismatch, more than 64 ONESHOT actions), ENOSYS (no chip), ENOTCONN ({@link IRQ_NOTCONNECTED}), or what the chip says to the
 *   trigger type or to the request as such
 */
export const requestThreadedIrq = effect(function* requestThreadedIrq(
  irq: number,
  handler: IrqHandler | null,
  threadFn: IrqThreadFn | null,
  flags: number,
  name: string,
  devId?: unknown,
) {
  if (irq === IRQ_NOTCONNECTED) throw new KernelError('ENOTCONN', 'the interrupt is not connected');
  checkFlags(irq, flags, devId);
  const desc = thisCpu().machine.irqs.get(irq);
  checkLine(desc);
  checkFunctions(irq, handler, threadFn);
  mightSleep('request_threaded_irq');
  const action = newAction(desc, {
    handler: handler ?? irqDefaultPrimaryHandler,
    threadFn: threadFn ?? undefined,
    flags,
    name,
    devId,
    percpuDevId: undefined,
  });
  yield* setupIrq(desc, action);
});

/** Requests an interrupt with a top half only (request_irq), which takes ONESHOT on if the line has it. As {@link requestThreadedIrq}. */
export const requestIrq = effect(function* requestIrq(
  irq: number,
  handler: IrqHandler,
  flags: number,
  name: string,
  devId?: unknown,
) {
  yield* requestThreadedIrq(irq, handler, null, withCondOneshot(irq, flags), name, devId);
});

/**
 * Requests an interrupt whose handler works in either context: a hard interrupt, or the thread of its parent if the line
 * is behind a chip that sleeps, such as an I2C expander (request_any_context_irq). Process context.
 *
 * @returns {@link IRQC_IS_HARDIRQ} (0) or {@link IRQC_IS_NESTED} (1)
 * @throws KernelError as {@link requestThreadedIrq}
 */
export const requestAnyContextIrq = effect(function* requestAnyContextIrq(
  irq: number,
  handler: IrqHandler,
  flags: number,
  name: string,
  devId?: unknown,
) {
  if (irq === IRQ_NOTCONNECTED) throw new KernelError('ENOTCONN', 'the interrupt is not connected');
  if ((thisCpu().machine.irqs.get(irq).settings & IRQ_NESTED_THREAD) === 0) {
    yield* requestIrq(irq, handler, flags, name, devId);
    return IRQC_IS_HARDIRQ;
  }
  yield* requestThreadedIrq(irq, null, handler, flags, name, devId);
  return IRQC_IS_NESTED;
});
