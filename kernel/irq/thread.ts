// Interrupt threads: irq/NN-name, woken by the primary handler (irq_thread in kernel/irq/manage.c).
import { kthreadShouldStop } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { callProcess, finish } from '../sched/effect.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING } from '../sched/task.js';
import { Tracepoint } from '../trace/ring.js';
import { IRQ_HANDLED } from './flags.js';
import { wakeSynchronizers } from './handle.js';
import type { IrqAction, IrqDesc, IrqThreadFn } from './irqdesc.js';

/** Priority of interrupt threads: the middle of SCHED_FIFO. */
const IRQ_THREAD_PRIORITY = 50;
/** Makes the thread of an action, and lets it run. */
export function startThread(desc: IrqDesc, action: IrqAction, threadFn: IrqThreadFn): void {
  const options = { rtPriority: IRQ_THREAD_PRIORITY };
  const thread = desc.machine.spawn(`irq/${desc.irq}-${action.name}`, () => irqThread(desc, action, threadFn), options);
  thread.onExit.push(() => {
    if (!action.inThread) return;
    const text = `genirq: exiting task "${thread.comm}" (${thread.pid}) is an active IRQ thread (irq ${desc.irq})`;
    desc.machine.printk('err', text);
    threadDone(desc, action);
  });
  action.thread = thread;
}

function threadDone(desc: IrqDesc, action: IrqAction): void {
  action.inThread = false;
  desc.threadsActive--;
  wakeSynchronizers(desc);
}

function* irqThread(desc: IrqDesc, action: IrqAction, threadFn: IrqThreadFn): Coroutine<void> {
  const task = current();
  for (;;) {
    task.state = TASK_INTERRUPTIBLE;
    if (action.runThread) {
      task.state = TASK_RUNNING;
      action.runThread = false;
      action.inThread = true;
      yield* runThreadFn(desc, action, threadFn);
      threadDone(desc, action);
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
