// Requesting interrupts: the checks, the trigger type, and the start of a line with its first action (__setup_irq in kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import { Request } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { irqActivate, irqStartup } from './chip.js';
import {
  IRQ_NOTCONNECTED,
  IRQ_TYPE_NONE,
  IRQ_WAKE_THREAD,
  IRQCHIP_ONESHOT_SAFE,
  IRQF_COND_ONESHOT,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_SUSPEND,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_MASK,
} from './flags.js';
import type { IrqAction, IrqDesc, IrqHandler, IrqThreadFn } from './irqdesc.js';
import { registerHandlerProc, registerIrqProc } from './proc.js';
import { startThread } from './thread.js';
import { __irqSetTrigger } from './trigger.js';

/** ONESHOT actions that a line may have: a bit of a long each. */
const ONESHOT_MAX = 64;

/** Stands in for a primary handler that was not given: it only wakes the thread. */
const defaultPrimaryHandler: IrqHandler = () => IRQ_WAKE_THREAD;

function invalid(message: string): KernelError {
  return new KernelError('EINVAL', message);
}

/** The checks on flags and functions that need no descriptor. */
function checkRequest(irq: number, flags: number, devId: unknown, handler: unknown, threadFn: unknown): void {
  if (irq === IRQ_NOTCONNECTED) throw new KernelError('ENOTCONN', 'the interrupt is not connected');
  const shared = (flags & IRQF_SHARED) !== 0;
  if (shared && (devId === null || devId === undefined)) {
    throw invalid(`irq ${irq}: IRQF_SHARED needs a dev_id, which tells the sharers apart`);
  }
  if (shared && (flags & IRQF_NO_AUTOEN) !== 0) throw invalid(`irq ${irq}: IRQF_NO_AUTOEN cannot be shared`);
  if (!shared && (flags & IRQF_COND_SUSPEND) !== 0) throw invalid(`irq ${irq}: IRQF_COND_SUSPEND needs IRQF_SHARED`);
  if ((flags & IRQF_NO_SUSPEND) !== 0 && (flags & IRQF_COND_SUSPEND) !== 0) {
    throw invalid(`irq ${irq}: IRQF_NO_SUSPEND and IRQF_COND_SUSPEND exclude each other`);
  }
  if (handler === null && threadFn === null) throw invalid(`irq ${irq}: neither a handler nor a thread function`);
  if (![handler, threadFn].every((fn) => fn === null || typeof fn === 'function')) {
    throw invalid(`irq ${irq}: handler and thread function are functions, or null for none`);
  }
}

/**
 * The flags of a new action as they hold on the line: it takes the line's trigger type if it asks for none, and ONESHOT
 * as the chip and the others have it. A further action must agree with the first in sharing, trigger, oneshot and percpu.
 */
function settleFlags(desc: IrqDesc, asked: number, name: string): number {
  let flags = (asked & IRQF_TRIGGER_MASK) === 0 ? asked | desc.type : asked;
  if (((desc.chip?.flags ?? 0) & IRQCHIP_ONESHOT_SAFE) !== 0) flags &= ~IRQF_ONESHOT;
  const [first] = desc.actions;
  if (first === undefined) return flags;
  const trigger = flags & IRQF_TRIGGER_MASK;
  // As in the kernel, whoever comes second fixes the type, even against the first.
  if (!desc.typeFixed) desc.type = trigger;
  desc.typeFixed = true;
  if ((first.flags & flags & IRQF_SHARED) === 0 || trigger !== desc.type) throw mismatch(desc, flags, name, first);
  if ((first.flags & IRQF_ONESHOT) !== 0 && (flags & IRQF_COND_ONESHOT) !== 0) flags |= IRQF_ONESHOT;
  if (((first.flags ^ flags) & (IRQF_ONESHOT | IRQF_PERCPU)) !== 0) throw mismatch(desc, flags, name, first);
  return flags;
}

function mismatch(desc: IrqDesc, flags: number, name: string, first: IrqAction): KernelError {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const message = `Flags mismatch irq ${desc.irq}. ${hex(flags)} (${name}) vs. ${hex(first.flags)} (${first.name})`;
  if ((flags & IRQF_PROBE_SHARED) === 0) desc.machine.printk('err', `genirq: ${message}`);
  return new KernelError('EBUSY', message, {
    subject: first.name,
    hint: `free the interrupt of '${first.name}' first, or request both with IRQF_SHARED and the same trigger`,
  });
}

/** What ONESHOT needs: a bit for each thread, and all threads without a primary handler need ONESHOT. */
function checkOneshot(desc: IrqDesc, action: IrqAction): void {
  if ((action.flags & IRQF_ONESHOT) !== 0) {
    const taken = desc.actions.reduce((count, { flags }) => count + ((flags & IRQF_ONESHOT) !== 0 ? 1 : 0), 0);
    if (taken >= ONESHOT_MAX)
      throw new KernelError('EBUSY', `irq ${desc.irq} has ${ONESHOT_MAX} ONESHOT actions already`);
  } else if (action.handler === defaultPrimaryHandler && ((desc.chip?.flags ?? 0) & IRQCHIP_ONESHOT_SAFE) === 0) {
    const message = `Threaded irq requested with handler=NULL and !ONESHOT for ${action.name} (irq ${desc.irq})`;
    desc.machine.printk('err', `genirq: ${message}`);
    throw invalid(message);
  }
}

/** A line gets its first action: it is started up, unless the request or the line says that enable_irq does it. */
function enableFirst(desc: IrqDesc, flags: number): void {
  if ((flags & IRQF_NO_AUTOEN) === 0 && !desc.noAutoen) {
    irqStartup(desc, true);
    return;
  }
  // A second sharer would find the line disabled, and not know that it has to enable it.
  if ((flags & IRQF_SHARED) !== 0) desc.machine.warnOnce('shared noautoen', '', '__setup_irq');
  desc.depth = 1;
}

/**
 * Requests an interrupt with a top half and a thread (request_threaded_irq). Process context.
 *
 * @param handler top half, or null for one that only wakes the thread (needs IRQF_ONESHOT)
 * @param threadFn thread function, or null for none
 * @param name shown in /proc/interrupts and as the thread's name
 * @param devId handed to both functions, and tells the sharers of a line apart
 * @throws KernelError EINVAL (unknown irq, impossible flags, no function), EBUSY (taken, flags mismatch, more than 64
 *   ONESHOT actions), ENOSYS (no chip), ENOTCONN ({@link IRQ_NOTCONNECTED}), or what the chip says to the trigger type
 */
export const requestThreadedIrq = effect(function* requestThreadedIrq(
  irq: number,
  handler: IrqHandler | null,
  threadFn: IrqThreadFn | null,
  flags: number,
  name: string,
  devId?: unknown,
) {
  mightSleep('request_threaded_irq');
  const { machine } = thisCpu();
  checkRequest(irq, flags, devId, handler, threadFn);
  const desc = machine.irqs.get(irq);
  if (desc.chained) throw invalid(`irq ${irq} belongs to a chained handler`);
  if (desc.chip === undefined) throw new KernelError('ENOSYS', `irq ${irq} has no interrupt chip`);
  const action: IrqAction = {
    irq,
    name,
    nameId: machine.trace.intern(name),
    flags: settleFlags(desc, flags, name),
    devId,
    percpuDevId: undefined,
    handler: handler ?? defaultPrimaryHandler,
    threadFn: threadFn ?? undefined,
    thread: undefined,
    secondary: undefined,
    oneshot: false,
    oneshotPending: false,
    runThread: false,
    warned: false,
    forcedThread: false,
    threadAffinityDue: false,
    inThread: false,
    removed: false,
  };
  checkOneshot(desc, action);
  const first = desc.actions.length === 0;
  const trigger = action.flags & IRQF_TRIGGER_MASK;
  if (first && trigger !== IRQ_TYPE_NONE) __irqSetTrigger(desc, trigger);
  if (first) irqActivate(desc);
  if (threadFn !== null) startThread(desc, action, threadFn);
  desc.actions = [...desc.actions, action];
  if (first) enableFirst(desc, flags);
  // The new thread gets as far as its first sleep before the caller goes on.
  yield Request.point;
  registerIrqProc(desc);
  registerHandlerProc(desc, action);
});

/** Requests an interrupt with a top half only (request_irq). As {@link requestThreadedIrq}. */
export const requestIrq = effect(function* requestIrq(
  irq: number,
  handler: IrqHandler,
  flags: number,
  name: string,
  devId?: unknown,
) {
  yield* requestThreadedIrq(irq, handler, null, flags, name, devId);
});
