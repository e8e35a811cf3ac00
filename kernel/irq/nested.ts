// Lines behind a chip that sleeps: their handlers run in the thread of the interrupt that they share (kernel/irq/chip.c).

import { finishOutcome } from '../sched/atomic.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { callProcess, effect, finish } from '../sched/effect.js';
import { Tracepoint } from '../trace/ring.js';
import { IRQ_HANDLED, IRQ_NESTED_THREAD, IRQ_NONE } from './flags.js';
import { wakeThreadsWaitq } from './handle.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';
import { irqModifyStatus } from './line-setup.js';
import { noteInterrupt } from './spurious.js';

/** Says whether a line's handlers run in the thread of its parent (irq_set_nested_thread). Any context. `EINVAL` for an unknown irq. */
export function irqSetNestedThread(irq: number, nested: boolean): void {
  irqModifyStatus(irq, nested ? 0 : IRQ_NESTED_THREAD, nested ? IRQ_NESTED_THREAD : 0);
}

function* runAction(desc: IrqDesc, action: IrqAction): Coroutine<number> {
  const { threadFn } = action;
  if (threadFn === undefined) return IRQ_NONE;
  thisCpu().trace(Tracepoint.irqThreadEntry, desc.irq, 0, action.nameId);
  let result: unknown = IRQ_HANDLED;
  try {
    result = callProcess(threadFn, desc.irq, action.devId);
    if (typeof result !== 'number') result = yield* finish(result);
  } catch (error) {
    desc.machine.oops(`thread function ${action.name} of irq ${desc.irq}`, error);
  }
  const answer = typeof result === 'number' ? result : IRQ_NONE;
  thisCpu().trace(Tracepoint.irqThreadExit, desc.irq, answer, action.nameId);
  return answer;
}

/**
 * Handles the interrupt of a line in the calling thread (handle_nested_irq): its thread functions run here, one after the
 * other. While the line is disabled the interrupt is kept, one deep, and its parent's comes again at the last enable_irq if
 * irqSetParent() has named it. Process context: the thread function of the interrupt that the lines share.
 *
 * @throws KernelError EINVAL for an unknown irq
 */
export const handleNestedIrq = effect(function* handleNestedIrq(irq: number) {
  mightSleep('handle_nested_irq');
  const desc = thisCpu().machine.irqs.get(irq);
  desc.replay = false;
  if (desc.disabled || desc.actions.length === 0) {
    desc.keep();
    return;
  }
  desc.count(thisCpu());
  desc.threadsActive++;
  let all: number = IRQ_NONE;
  for (const action of desc.actions) if (!action.removed) all |= yield* runAction(desc, action);
  yield* finishOutcome(noteInterrupt(desc, all));
  wakeThreadsWaitq(desc);
});
