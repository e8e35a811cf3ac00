// Walking the actions of a line: every handler runs, results are or-ed, threads are woken (kernel/irq/handle.c).
import { DONE, isCoroutine, isPromiseLike, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { Tracepoint } from '../trace/ring.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';

const IRQ_RETURN_MASK = IRQ_HANDLED | IRQ_WAKE_THREAD;

/** Runs all actions of a line with the line marked in progress. Hard interrupt context. */
export function handleIrqEvent(desc: IrqDesc): Outcome {
  desc.pending = false;
  desc.inProgress = true;
  const cpu = thisCpu();
  if (walk(cpu, desc, 0) === SUSPENDED) return cpu.defer(() => endEvent(desc));
  return endEvent(desc);
}

function endEvent(desc: IrqDesc): Outcome {
  desc.inProgress = false;
  wakeSynchronizers(desc);
  return DONE;
}

/** Wakes the tasks in synchronize_irq once nothing of the line runs any more. */
export function wakeSynchronizers(desc: IrqDesc): void {
  if (desc.waiters.size === 0) return;
  for (const task of desc.waiters) wakeUpProcess(task);
}

function walk(cpu: Cpu, desc: IrqDesc, first: number): Outcome {
  for (let i = first; i < desc.actions.length; i++) {
    const action = desc.actions[i];
    if (action === undefined) break;
    cpu.trace(Tracepoint.irqHandlerEntry, desc.irq, 0, action.nameId);
    let result: unknown;
    try {
      result = action.handler(desc.irq, action.devId);
    } catch (error) {
      result = failed(desc, action, error);
    }
    if (typeof result !== 'number') {
      if (isCoroutine(result)) {
        return cpu.suspend(result, (value, thrown) => {
          conclude(cpu, desc, action, thrown ? failed(desc, action, value) : value);
          return walk(cpu, desc, i + 1);
        });
      }
      if (isPromiseLike(result)) result = promised(cpu, desc, action, result);
    }
    conclude(cpu, desc, action, result);
  }
  return DONE;
}

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

function conclude(cpu: Cpu, desc: IrqDesc, action: IrqAction, result: unknown): void {
  const value = typeof result === 'number' ? result : IRQ_NONE;
  cpu.trace(Tracepoint.irqHandlerExit, desc.irq, value, action.nameId);
  if (typeof result !== 'number' || (result & ~IRQ_RETURN_MASK) !== 0) {
    const shown = typeof result === 'number' ? (result >>> 0).toString(16) : String(result);
    desc.machine.printk('err', `irq event ${desc.irq}: bogus return value ${shown} from ${action.name}`);
    return;
  }
  if (result === IRQ_WAKE_THREAD) wakeThread(desc, action);
}

function wakeThread(desc: IrqDesc, action: IrqAction): void {
  if (action.thread === undefined) {
    if (action.warned) return;
    action.warned = true;
    const text = `IRQ ${desc.irq} device ${action.name} returned IRQ_WAKE_THREAD but no thread function available.`;
    desc.machine.printk('warning', text);
    return;
  }
  if (action.runThread) return;
  action.runThread = true;
  desc.threadsActive++;
  wakeUpProcess(action.thread);
}
