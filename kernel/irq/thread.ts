// Interrupt threads: irq/NN-name, woken by the primary handler (irq_thread in kernel/irq/manage.c).
import {
  kthreadShouldStop,
  kthreadStop,
  localIrqDisable,
  localIrqEnable,
  schedSetFifo,
  setCpusAllowedPtr,
} from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { callProcess, finish } from '../sched/effect.js';
import { KthreadExit } from '../sched/kthread-exit.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { Tracepoint } from '../trace/ring.js';
import { unmaskThreadedIrq } from './chip.js';
import { chipBusLock, chipBusSyncUnlock } from './chip-bus.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, IRQF_NO_THREAD, IRQF_ONESHOT, IRQF_PERCPU } from './flags.js';
import { wakeIrqThread, wakeSynchronizers, wakeThreadsWaitq } from './handle.js';
import type { IrqAction, IrqDesc, IrqHandler } from './irqdesc.js';
import { waitForHandlers, waitForThreads } from './synchronize.js';

// Handlers of the kernel's own. They carry its names, which reports show.

/** Stands in for a primary handler that was not given: it only wakes the thread. */
export const irqDefaultPrimaryHandler: IrqHandler = function irq_default_primary_handler() {
  return IRQ_WAKE_THREAD;
};

/** Stands in for the primary handler of a line whose handlers run in its parent's thread. */
export const irqNestedPrimaryHandler: IrqHandler = function irq_nested_primary_handler(irq) {
  thisCpu().machine.warn(`Primary handler called for nested irq ${irq}`, 'irq_nested_primary_handler');
  return IRQ_NONE;
};

/** Stands in for the primary handler of the second thread that forced threading makes. */
const irqForcedSecondaryHandler: IrqHandler = function irq_forced_secondary_handler(irq) {
  thisCpu().machine.warn(`Secondary action handler called for irq ${irq}`, 'irq_forced_secondary_handler');
  return IRQ_NONE;
};

/**
 * Makes a thread function of the primary handler, where the machine runs handlers in threads (irq_setup_forced_threading).
 * A thread function that the request has already gets a second thread.
 */
export function irqSetupForcedThreading(desc: IrqDesc, action: IrqAction): void {
  if (!desc.machine.threadirqs) return;
  if ((action.flags & (IRQF_NO_THREAD | IRQF_PERCPU | IRQF_ONESHOT)) !== 0) return;
  if (action.handler === irqDefaultPrimaryHandler) return;
  action.flags |= IRQF_ONESHOT;
  if (action.threadFn !== undefined) {
    action.secondary = { ...action, flags: 0, handler: irqForcedSecondaryHandler };
  }
  action.forcedThread = true;
  action.threadFn = action.handler;
  action.handler = irqDefaultPrimaryHandler;
}

function createThread(desc: IrqDesc, action: IrqAction, comm: string): void {
  const thread = desc.machine.create(comm, () => irqThread(desc, action));
  thread.onExit.push(() => irqThreadDtor(desc, action, thread));
  action.thread = thread;
  // It goes where the line's interrupts go, also one of a later sharer, for whom no affinity is chosen.
  action.threadAffinityDue = true;
}

/** Makes the threads that an action needs, asleep until {@link wakeUpIrqThreads} (setup_irq_thread). */
export function setupIrqThreads(desc: IrqDesc, action: IrqAction): void {
  if (action.threadFn === undefined) return;
  createThread(desc, action, `irq/${desc.irq}-${action.name}`);
  if (action.secondary !== undefined) createThread(desc, action.secondary, `irq/${desc.irq}-s-${action.name}`);
}

/** Wakes the threads of a new action, and waits until each is ready to be woken by interrupts. Process context. */
export function* wakeUpIrqThreads(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  for (const one of [action, action.secondary]) {
    if (one?.thread === undefined) continue;
    wakeUpProcess(one.thread);
    yield* waitForThreads(desc, () => one.ready);
  }
}

/** Ends the threads of an action, which run once more if they are due. Process context. */
export function* stopIrqThreads(action: IrqAction): Coroutine<void> {
  for (const { thread } of [action, ...(action.secondary === undefined ? [] : [action.secondary])]) {
    if (thread !== undefined) yield* kthreadStop(thread);
  }
}

function* irqThread(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  const task = current();
  task.frame.own = true;
  action.ready = true;
  wakeSynchronizers(desc);
  yield Request.point;
  schedSetFifo(task);
  for (;;) {
    task.state = TASK_INTERRUPTIBLE;
    if (action.threadAffinityDue) yield* followAffinity(desc, action, task);
    if (action.runThread) {
      task.state = TASK_RUNNING;
      action.runThread = false;
      action.inThread = true;
      if (action.forcedThread) beginForced();
      // A plain function is done with the call: a generator around it would cost each interrupt some 100 ns.
      let result = callThreadFn(desc, action);
      if (typeof result !== 'number') result = yield* awaitThreadFn(desc, action, result);
      threadFnDone(desc, action, result);
      if (holdsOneshot(desc, action) && !finalizeAtOnce(desc, action))
        yield* asOthers(desc, irqFinalizeOneshot(desc, action));
      if (action.forcedThread) yield* endForced();
      if (result === IRQ_WAKE_THREAD) wakeSecondary(desc, action);
      action.inThread = false;
      wakeThreadsWaitq(desc);
    } else if (kthreadShouldStop()) {
      task.state = TASK_RUNNING;
      return;
    } else {
      yield Request.schedule;
    }
  }
}

/** The thread goes to the CPUs of the line's interrupts (irq_thread_check_affinity), if the chip has said which these are. */
function* followAffinity(desc: IrqDesc, action: IrqAction, task: Task): Coroutine<void> {
  action.threadAffinityDue = false;
  task.state = TASK_RUNNING;
  const mask = desc.effectiveAffinity & desc.machine.cpuMask;
  if (mask === 0) return;
  setCpusAllowedPtr(task, mask);
  yield Request.point;
}

/** Calls a thread function: its answer, or what comes to it (irq_thread_fn, first part). */
function callThreadFn(desc: IrqDesc, action: IrqAction): unknown {
  thisCpu().trace(Tracepoint.irqThreadEntry, desc.irq, 0, action.nameId);
  if (action.threadFn === undefined) return IRQ_NONE;
  const { look } = desc.machine;
  look.others();
  let result: unknown;
  try {
    result = callProcess(action.threadFn, desc.irq, action.devId);
  } catch (error) {
    result = failed(desc, action, error);
  }
  look.othersDone();
  return result;
}

/** The answer of a thread function that is no plain one. */
function* awaitThreadFn(desc: IrqDesc, action: IrqAction, result: unknown): Coroutine<unknown> {
  try {
    return yield* asOthers(desc, finish(result));
  } catch (error) {
    return failed(desc, action, error);
  }
}

/** Has the thread run what is code of others, or calls some. */
function* asOthers<R>(desc: IrqDesc, coroutine: Coroutine<R>): Coroutine<R> {
  const { look } = desc.machine;
  const { frame } = current();
  frame.own = false;
  look.others();
  try {
    return yield* coroutine;
  } finally {
    frame.own = true;
    look.othersDone();
  }
}

/** What a thread function that threw counts as: the line goes on working, unless its thread is to end. */
function failed(desc: IrqDesc, action: IrqAction, error: unknown): typeof IRQ_HANDLED {
  if (error instanceof KthreadExit) throw error;
  desc.machine.oops(`thread function ${action.name} of irq ${desc.irq}`, error);
  return IRQ_HANDLED;
}

function threadFnDone(desc: IrqDesc, action: IrqAction, result: unknown): void {
  thisCpu().trace(Tracepoint.irqThreadExit, desc.irq, typeof result === 'number' ? result : 0, action.nameId);
  if (result === IRQ_HANDLED) desc.threadsHandled = (desc.threadsHandled + 1) | 0;
}

/** A handler that was made for hard interrupt context finds softirqs and interrupts off, as it expects (irq_forced_thread_fn). */
function beginForced(): void {
  localBhDisable();
  localIrqDisable();
}

function* endForced(): Coroutine<void> {
  localIrqEnable();
  localBhEnable();
  yield Request.point;
}

/** The line waits for this thread, or may have to: the second one of forced threading is no one's concern. */
function holdsOneshot(desc: IrqDesc, action: IrqAction): boolean {
  return desc.oneshot && action.handler !== irqForcedSecondaryHandler;
}

/** As {@link irqFinalizeOneshot}, spared its generators; false, and nothing done, where something has to be waited for. */
function finalizeAtOnce(desc: IrqDesc, action: IrqAction): boolean {
  const { chip, inProgress } = desc;
  if (inProgress || chip?.busLock !== undefined || chip?.busSyncUnlock !== undefined) return false;
  finishOneshot(desc, action);
  return true;
}

/** The line stays masked until the last of its ONESHOT threads is done (irq_finalize_oneshot). */
function* irqFinalizeOneshot(desc: IrqDesc, action: IrqAction): Coroutine<void> {
  yield* chipBusLock(desc);
  while (desc.inProgress) {
    // The walk over the actions, on another CPU, would mask the line again behind our back.
    yield* chipBusSyncUnlock(desc);
    yield* waitForHandlers(desc, false);
    yield* chipBusLock(desc);
  }
  finishOneshot(desc, action);
  yield* chipBusSyncUnlock(desc);
}

/** What the kernel does with the line's lock held; giving it back enables interrupts, whatever they were. */
function finishOneshot(desc: IrqDesc, action: IrqAction): void {
  // Woken once more meanwhile: the bit is that of the run to come.
  if (!action.runThread) {
    if (action.oneshotPending) {
      action.oneshotPending = false;
      desc.threadsOneshot--;
    }
    if (desc.threadsOneshot === 0 && !desc.disabled && desc.masked) unmaskThreadedIrq(desc);
  }
  if (!thisCpu().irqsEnabled) localIrqEnable();
}

function wakeSecondary(desc: IrqDesc, action: IrqAction): void {
  const { secondary } = action;
  if (secondary?.thread === undefined) {
    desc.machine.warnOnce('irq_wake_secondary', '', 'irq_wake_secondary');
    return;
  }
  wakeIrqThread(desc, secondary, secondary.thread);
}

/** A thread that ended by itself leaves neither the line masked nor somebody waiting (irq_thread_dtor). */
function irqThreadDtor(desc: IrqDesc, action: IrqAction, thread: Task): void {
  if (!action.inThread) return;
  const text = `genirq: exiting task "${thread.comm}" (${thread.pid}) is an active IRQ thread (irq ${desc.irq})`;
  desc.machine.printk('err', text);
  action.inThread = false;
  wakeThreadsWaitq(desc);
  if (action.runThread) {
    action.runThread = false;
    wakeThreadsWaitq(desc);
  }
  try {
    if (holdsOneshot(desc, action)) finishOneshot(desc, action);
  } catch (error) {
    desc.machine.oops(`chip of irq ${desc.irq}`, error);
  }
}
