// Requesting, freeing, enabling and disabling interrupts, and their threads (kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { kthreadShouldStop, kthreadStop, mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { callProcess, effect, finish } from '../sched/effect.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { Tracepoint } from '../trace/ring.js';
import { maskIrq, unmaskIrq } from './chip.js';
import {
  IRQ_HANDLED,
  IRQ_TYPE_NONE,
  IRQ_WAKE_THREAD,
  IRQF_COND_SUSPEND,
  IRQF_NO_AUTOEN,
  IRQF_NO_SUSPEND,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_PROBE_SHARED,
  IRQF_SHARED,
  IRQF_TRIGGER_MASK,
} from './flags.js';
import { wakeSynchronizers } from './handle.js';
import type { IrqAction, IrqDesc, IrqHandler, IrqThreadFn } from './irqdesc.js';

/** Priority of interrupt threads: the middle of SCHED_FIFO. */
const IRQ_THREAD_PRIORITY = 50;

/** Stands in for a primary handler that was not given: it only wakes the thread. */
const defaultPrimaryHandler: IrqHandler = () => IRQ_WAKE_THREAD;

function invalid(message: string): KernelError {
  return new KernelError('EINVAL', message);
}

/** The checks on flags and functions that need no descriptor. */
function checkRequest(
  irq: number,
  flags: number,
  devId: unknown,
  handler: IrqHandler | null,
  threadFn: IrqThreadFn | null,
): void {
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
}

/** A second action must agree with the first in sharing, trigger, oneshot and percpu. */
function checkSharing(desc: IrqDesc, action: IrqAction): void {
  const [first] = desc.actions;
  if (first === undefined) return;
  const agree = IRQF_ONESHOT | IRQF_PERCPU | IRQF_TRIGGER_MASK;
  const newTrigger = action.flags & IRQF_TRIGGER_MASK;
  // Without a trigger of its own the newcomer takes what the line has.
  const flags = newTrigger === 0 ? action.flags | (first.flags & IRQF_TRIGGER_MASK) : action.flags;
  if ((first.flags & flags & IRQF_SHARED) !== 0 && ((first.flags ^ flags) & agree) === 0) return;
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const message = `Flags mismatch irq ${desc.irq}. ${hex(action.flags)} (${action.name}) vs. ${hex(first.flags)} (${first.name})`;
  if ((action.flags & IRQF_PROBE_SHARED) === 0) desc.machine.printk('err', `genirq: ${message}`);
  throw new KernelError('EBUSY', message, { subject: first.name });
}

function setUp(desc: IrqDesc, action: IrqAction): void {
  checkSharing(desc, action);
  if (desc.actions.length === 0) {
    const type = action.flags & IRQF_TRIGGER_MASK;
    if (type !== IRQ_TYPE_NONE) {
      desc.chip?.setType?.(desc, type);
      desc.type = type;
    }
    desc.pending = false;
    if ((action.flags & IRQF_NO_AUTOEN) === 0) {
      desc.depth = 0;
      startUp(desc);
    } else {
      desc.depth = 1;
    }
  }
}

function startUp(desc: IrqDesc): void {
  desc.disabled = false;
  desc.started = true;
  unmaskIrq(desc);
}

/**
 * Requests an interrupt with a top half and a thread (request_threaded_irq). Process context.
 *
 * @param handler top half, or null for one that only wakes the thread (needs IRQF_ONESHOT)
 * @param threadFn thread function, or null for none
 * @param name shown in /proc/interrupts and as the thread's name
 * @throws KernelError EINVAL (unknown irq, impossible flags, no function), EBUSY (taken, flags mismatch), ENOSYS (no chip)
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
  if (handler === null && (flags & IRQF_ONESHOT) === 0) {
    const message = `Threaded irq requested with handler=NULL and !ONESHOT for ${name} (irq ${irq})`;
    machine.printk('err', `genirq: ${message}`);
    throw invalid(message);
  }
  const action: IrqAction = {
    irq,
    name,
    nameId: machine.trace.intern(name),
    flags,
    devId,
    handler: handler ?? defaultPrimaryHandler,
    threadFn: threadFn ?? undefined,
    thread: undefined,
    runThread: false,
    warned: false,
  };
  setUp(desc, action);
  if (threadFn !== null) {
    action.thread = machine.spawn(`irq/${irq}-${name}`, () => irqThread(desc, action, threadFn), {
      rtPriority: IRQ_THREAD_PRIORITY,
    });
  }
  desc.actions.push(action);
  // The new thread gets as far as its first sleep before the caller goes on.
  yield Request.point;
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

function* irqThread(desc: IrqDesc, action: IrqAction, threadFn: IrqThreadFn): Coroutine<void> {
  const task = current();
  for (;;) {
    task.state = TASK_INTERRUPTIBLE;
    if (action.runThread) {
      task.state = TASK_RUNNING;
      action.runThread = false;
      yield* runThreadFn(desc, action, threadFn);
      desc.threadsActive--;
      wakeSynchronizers(desc);
    } else if (kthreadShouldStop()) {
      task.state = TASK_RUNNING;
      return;
    } else {
      yield Request.schedule;
    }
  }
}

function* runThreadFn(desc: IrqDesc, action: IrqAction, threadFn: IrqThreadFn): Coroutine<void> {
  thisCpu().trace(Tracepoint.irqThreadEntry, desc.irq, 0, action.nameId);
  let result: unknown = IRQ_HANDLED;
  try {
    result = callProcess(threadFn, desc.irq, action.devId);
    if (typeof result !== 'number') result = yield* finish(result);
  } catch (error) {
    desc.machine.oops(`thread function ${action.name} of irq ${desc.irq}`, error);
  }
  thisCpu().trace(Tracepoint.irqThreadExit, desc.irq, typeof result === 'number' ? result : 0, action.nameId);
}

/** Waits until no handler and no thread of the line is running (synchronize_irq). Process context. */
export const synchronizeIrq = effect(function* synchronizeIrq(irq: number) {
  mightSleep('synchronize_irq');
  const task = current();
  const desc = thisCpu().machine.irqs.get(irq);
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
 * @returns what was handed over as its devId; `undefined`, with a warning, if there is no such action
 */
export const freeIrq = effect(function* freeIrq(irq: number, devId?: unknown): Coroutine<unknown> {
  mightSleep('free_irq');
  const { machine } = thisCpu();
  const desc = machine.irqs.get(irq);
  const at = desc.actions.findIndex((candidate) => candidate.devId === devId);
  const action = desc.actions[at];
  if (action === undefined) {
    machine.printk('warning', `Trying to free already-free IRQ ${irq}`);
    return undefined;
  }
  desc.actions.splice(at, 1);
  if (desc.actions.length === 0) {
    desc.depth = 1;
    desc.disabled = true;
    desc.started = false;
    maskIrq(desc);
  }
  yield* synchronizeIrq(irq);
  if (action.thread !== undefined) yield* kthreadStop(action.thread);
  return action.devId;
});

/** Disables a line without waiting for its handlers (disable_irq_nosync). Nests. Any context. */
export function disableIrqNosync(irq: number): void {
  const desc = thisCpu().machine.irqs.get(irq);
  // Lazy: the line is masked only when an interrupt arrives meanwhile, which then is kept.
  if (desc.depth++ === 0) desc.disabled = true;
}

/** Disables a line and waits for its handlers and threads (disable_irq). Nests. Process context, never the line's own handler. */
export const disableIrq = effect(function* disableIrq(irq: number) {
  disableIrqNosync(irq);
  yield* synchronizeIrq(irq);
});

/** Undoes one disable; at the last one a kept edge is delivered (enable_irq). Any context. */
export function enableIrq(irq: number): void {
  const cpu = thisCpu();
  const desc = cpu.machine.irqs.get(irq);
  if (desc.depth === 0) {
    cpu.machine.printk('warning', `Unbalanced enable for IRQ ${irq}`);
    return;
  }
  desc.depth--;
  if (desc.depth > 0 || desc.actions.length === 0) return;
  startUp(desc);
  if (!desc.pending) return;
  desc.pending = false;
  if (desc.chip?.retrigger?.(desc) !== true)
    cpu.callFunction(() => (desc.handleIrq === undefined ? 0 : desc.handleIrq(desc)));
}
