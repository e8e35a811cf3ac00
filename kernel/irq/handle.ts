// Walking the actions of a line: every handler runs, results are or-ed, threads are woken (kernel/irq/handle.c).
import { type Coroutine, DONE, isCoroutine, isPromiseLike, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { waitqueueActive, wakeUp } from '../sched/wait.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { Tracepoint } from '../trace/ring.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { noteInterrupt, reportBadReturn } from './spurious.js';
import { releaseSpinners } from './synchronize.js';

/** What is done around the actions: the line is marked in progress, and their answer is judged (spurious.c). */
const IN_PROGRESS = 1;
const NOTED = 2;
/** No action was added during a walk. */
const NONE_NEW = -1;

/**
 * Runs all actions of a line with the line marked in progress (handle_irq_event); {@link IrqDesc.lastReturn} is then what
 * they have answered. Hard interrupt context, or another one with interrupts off.
 */
export function handleIrqEvent(desc: IrqDesc): Outcome {
  desc.pending = false;
  desc.inProgress = true;
  const cpu = thisCpu();
  desc.inProgressOn = cpu;
  return walk(cpu, desc, desc.actions, 0, IRQ_NONE, IN_PROGRESS | NOTED);
}

/** As {@link handleIrqEvent}, with nobody judging the answer (__handle_irq_event_percpu of a line in progress). */
export function handleUntrackedEvent(desc: IrqDesc): Outcome {
  desc.pending = false;
  desc.inProgress = true;
  const cpu = thisCpu();
  desc.inProgressOn = cpu;
  return walk(cpu, desc, desc.actions, 0, IRQ_NONE, IN_PROGRESS);
}

/** As {@link handleIrqEvent} on a line that several CPUs may handle at once: nothing is marked (handle_irq_event_percpu). */
export function handleIrqEventPercpu(desc: IrqDesc): Outcome {
  return walk(thisCpu(), desc, desc.actions, 0, IRQ_NONE, NOTED);
}

/** Runs the one action of a line that each CPU has for itself, with the data of this CPU; its answer does not count. */
export function handlePercpuDevidAction(desc: IrqDesc, action: IrqAction): Outcome {
  const cpu = thisCpu();
  const devId = action.percpuDevId?.of(cpu.machine)[cpu.id];
  const result = callHandler(cpu, desc, action, devId);
  if (isCoroutine(result)) {
    return cpu.suspend(result, (value, thrown) => {
      leaveHandler(cpu, desc, action, thrown ? failed(desc, action, value) : value);
      return DONE;
    });
  }
  leaveHandler(cpu, desc, action, result);
  return DONE;
}

/** Wakes the tasks that wait for threads of the line, which look whether they are done or ready. */
export function wakeSynchronizers(desc: IrqDesc): void {
  if (waitqueueActive(desc.waiters)) wakeUp(desc.waiters);
}

/** A thread function of the line has finished (wake_threads_waitq). */
export function wakeThreadsWaitq(desc: IrqDesc): void {
  if (--desc.threadsActive === 0) wakeSynchronizers(desc);
}

/** Runs the actions from `first` on; `results` is what those before have answered. */
function walk(
  cpu: Cpu,
  desc: IrqDesc,
  actions: readonly IrqAction[],
  first: number,
  results: number,
  around: number,
): Outcome {
  let all = results;
  for (let i = first; i < actions.length; i++) {
    const action = actions[i];
    if (action === undefined || action.removed) continue;
    const result = callHandler(cpu, desc, action, action.devId);
    if (typeof result !== 'number' && isCoroutine(result)) {
      return suspendWalk(cpu, desc, actions, i, all, around, result);
    }
    // It has handled another line's interrupt, whose handler is not done.
    if (cpu.suspending) return deferWalk(cpu, desc, actions, i, all, around, result);
    all |= conclude(cpu, desc, action, result);
  }
  const next = desc.actions === actions ? NONE_NEW : firstNew(desc, actions);
  return next === NONE_NEW ? leaveEvent(desc, all, around) : walk(cpu, desc, desc.actions, next, all, around);
}

/** Where the actions begin that were added, by another CPU, while `walked` was: the kernel finds them at the end of its list. */
function firstNew(desc: IrqDesc, walked: readonly IrqAction[]): number {
  return desc.chained ? NONE_NEW : desc.actions.findIndex((action) => !walked.includes(action));
}

/** Deals with the answer of the action at `at`, and goes on behind it. */
function resumeWalk(
  cpu: Cpu,
  desc: IrqDesc,
  actions: readonly IrqAction[],
  at: number,
  results: number,
  around: number,
  result: unknown,
): Outcome {
  const action = actions[at];
  if (action === undefined) return DONE;
  return walk(cpu, desc, actions, at + 1, results | conclude(cpu, desc, action, result), around);
}

/** Goes on with the walk when the coroutine is done. On its own, since a closure in the walk would cost it an object a call. */
function suspendWalk(
  cpu: Cpu,
  desc: IrqDesc,
  actions: readonly IrqAction[],
  at: number,
  results: number,
  around: number,
  coroutine: Coroutine,
): Outcome {
  return cpu.suspend(coroutine, (value, thrown) => {
    const result = thrown ? failed(desc, actions[at], value) : value;
    return resumeWalk(cpu, desc, actions, at, results, around, result);
  });
}

/** Goes on with the walk behind an interrupt of another line, which a handler has handed on and whose handlers are not done. */
function deferWalk(
  cpu: Cpu,
  desc: IrqDesc,
  actions: readonly IrqAction[],
  at: number,
  results: number,
  around: number,
  result: unknown,
): Outcome {
  return cpu.defer(() => resumeWalk(cpu, desc, actions, at, results, around, result));
}

function leaveEvent(desc: IrqDesc, all: number, around: number): Outcome {
  desc.lastReturn = all;
  if ((around & NOTED) !== 0 && noteInterrupt(desc, all) === SUSPENDED) {
    return (around & IN_PROGRESS) === 0 ? SUSPENDED : deferEndOfProgress(desc);
  }
  if ((around & IN_PROGRESS) !== 0) endProgress(desc);
  return DONE;
}

function endProgress(desc: IrqDesc): void {
  desc.inProgress = false;
  if (desc.spinners.length > 0) releaseSpinners(desc);
}

function deferEndOfProgress(desc: IrqDesc): Outcome {
  return thisCpu().defer(() => {
    endProgress(desc);
    return DONE;
  });
}

/** Calls a handler: its answer, or the generator that comes to it. */
function callHandler(cpu: Cpu, desc: IrqDesc, action: IrqAction, devId: unknown): unknown {
  cpu.trace(Tracepoint.irqHandlerEntry, desc.irq, 0, action.nameId);
  const { look } = cpu.machine;
  const before = look.others();
  let result: unknown;
  try {
    result = action.handler(desc.irq, devId);
  } catch (error) {
    look.othersDone(before);
    return failed(desc, action, error);
  }
  look.othersDone(before);
  return typeof result !== 'number' && isPromiseLike(result) && !isCoroutine(result)
    ? promised(cpu, desc, action, result)
    : result;
}

/** What a handler that threw counts as: the line goes on working. */
function failed(desc: IrqDesc, action: IrqAction | undefined, error: unknown): typeof IRQ_HANDLED {
  desc.machine.oops(`handler ${action?.name} of irq ${desc.irq}`, error);
  return IRQ_HANDLED;
}

/** An async function as a top half: it has slept, and no one can wait for it here. */
function promised(cpu: Cpu, desc: IrqDesc, action: IrqAction, promise: PromiseLike<unknown>): typeof IRQ_HANDLED {
  const count = cpu.preemptCount.toString(16).padStart(8, '0');
  desc.machine.bug(
    `scheduling while atomic: ${cpu.current.comm}/${cpu.current.pid}/0x${count}`,
    `handler ${action.name} of irq ${desc.irq} returned a promise; async code belongs in the thread function or in a work item`,
  );
  promise.then(undefined, (error) => desc.machine.oops(`handler ${action.name} of irq ${desc.irq}`, error));
  return IRQ_HANDLED;
}

/** A handler is done: its answer, as far as it is one. */
function leaveHandler(cpu: Cpu, desc: IrqDesc, action: IrqAction, result: unknown): number {
  if (cpu.irqsEnabled) enabledInterrupts(cpu, desc, action);
  const answer = typeof result === 'number' ? result | 0 : IRQ_NONE;
  cpu.trace(Tracepoint.irqHandlerExit, desc.irq, answer, action.nameId);
  return answer;
}

/** Deals with one action's answer, and returns it as far as it is one. */
function conclude(cpu: Cpu, desc: IrqDesc, action: IrqAction, result: unknown): number {
  const answer = leaveHandler(cpu, desc, action, result);
  if (answer === IRQ_WAKE_THREAD) wakeThread(desc, action);
  else if (answer !== result && result !== answer >>> 0) reportBadReturn(desc, String(result), [action]);
  return answer;
}

/** Handlers run with interrupts off from beginning to end; one that enabled them is told so, and they are off again. */
function enabledInterrupts(cpu: Cpu, desc: IrqDesc, action: IrqAction): void {
  cpu.irqsEnabled = false;
  const text = `irq ${desc.irq} handler ${action.handler.name || action.name} enabled interrupts`;
  desc.machine.warnOnce('handler enabled interrupts', text, '__handle_irq_event_percpu');
}

function wakeThread(desc: IrqDesc, action: IrqAction): void {
  const { thread } = action;
  if (thread === undefined) {
    if (action.warned) return;
    action.warned = true;
    const text = `IRQ ${desc.irq} device ${action.name} returned IRQ_WAKE_THREAD but no thread function available.`;
    desc.machine.printk('warning', text);
    return;
  }
  wakeIrqThread(desc, action, thread);
}

/**
 * Wakes an interrupt thread; one that is woken already, and has not run yet, runs once (__irq_wake_thread). Under ONESHOT
 * the line then stays masked until the thread is done. A thread that is gone has handled its interrupt.
 */
export function wakeIrqThread(desc: IrqDesc, action: IrqAction, thread: Task): void {
  if (action.runThread || thread.exited) return;
  action.runThread = true;
  if (action.oneshot && !action.oneshotPending) {
    action.oneshotPending = true;
    desc.threadsOneshot++;
  }
  desc.threadsActive++;
  wakeUpProcess(thread);
}
