// Walking the actions of a line: every handler runs, results are or-ed, threads are woken (kernel/irq/handle.c).
import { type Coroutine, DONE, isCoroutine, isPromiseLike, type Outcome } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { Tracepoint } from '../trace/ring.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { reportBadReturn } from './spurious.js';

const IRQ_RETURN_MASK = IRQ_HANDLED | IRQ_WAKE_THREAD;

/** Runs all actions of a line with the line marked in progress. Hard interrupt context. */
export function handleIrqEvent(desc: IrqDesc): Outcome {
  desc.pending = false;
  desc.inProgress = true;
  return walk(thisCpu(), desc, desc.actions, 0, IRQ_NONE);
}

/** Wakes the tasks in synchronize_irq once nothing of the line runs any more. */
export function wakeSynchronizers(desc: IrqDesc): void {
  if (desc.waiters.size === 0) return;
  for (const task of desc.waiters) wakeUpProcess(task);
}

/** Runs the actions from `first` on; `results` is what those before have answered. */
function walk(cpu: Cpu, desc: IrqDesc, actions: readonly IrqAction[], first: number, results: number): Outcome {
  let all = results;
  for (let i = first; i < actions.length; i++) {
    const action = actions[i];
    if (action === undefined || action.removed) continue;
    cpu.trace(Tracepoint.irqHandlerEntry, desc.irq, 0, action.nameId);
    let result: unknown;
    try {
      result = action.handler(desc.irq, action.devId);
    } catch (error) {
      result = failed(desc, action, error);
    }
    if (typeof result !== 'number') {
      if (isCoroutine(result)) return suspendWalk(cpu, desc, actions, i, all, action, result);
      if (isPromiseLike(result)) result = promised(cpu, desc, action, result);
    }
    all |= conclude(cpu, desc, action, result);
  }
  if ((all & ~IRQ_RETURN_MASK) !== 0) reportBadReturn(desc, (all >>> 0).toString(16), actions);
  desc.inProgress = false;
  wakeSynchronizers(desc);
  return DONE;
}

/** Goes on with the walk when the coroutine is done. On its own, since a closure in the walk would cost it an object a call. */
function suspendWalk(
  cpu: Cpu,
  desc: IrqDesc,
  actions: readonly IrqAction[],
  at: number,
  results: number,
  action: IrqAction,
  coroutine: Coroutine,
): Outcome {
  return cpu.suspend(coroutine, (value, thrown) => {
    const answer = conclude(cpu, desc, action, thrown ? failed(desc, action, value) : value);
    return walk(cpu, desc, actions, at + 1, results | answer);
  });
}

/** What a handler that threw counts as: the line goes on working. */
function failed(desc: IrqDesc, action: IrqAction, error: unknown): typeof IRQ_HANDLED {
  desc.machine.oops(`handler ${action.name} of irq ${desc.irq}`, error);
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

/** Deals with one action's answer, and returns it as far as it is one. */
function conclude(cpu: Cpu, desc: IrqDesc, action: IrqAction, result: unknown): number {
  if (cpu.irqsEnabled) enabledInterrupts(cpu, desc, action);
  const answer = typeof result === 'number' ? result | 0 : IRQ_NONE;
  cpu.trace(Tracepoint.irqHandlerExit, desc.irq, answer, action.nameId);
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

/** Wakes an interrupt thread; one that is woken already, and has not run yet, runs once (__irq_wake_thread). */
export function wakeIrqThread(desc: IrqDesc, action: IrqAction, thread: Task): void {
  if (action.runThread || thread.exited) return;
  action.runThread = true;
  desc.threadsActive++;
  wakeUpProcess(thread);
}
