// Interrupts that no handler wants, and answers of handlers that are none (kernel/irq/spurious.c).
import { DONE, type Outcome } from '../sched/coroutine.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';

/**
 * Told by the walk over a line's actions what they have answered, or-ed; the line is in progress still. Hard interrupt
 * context. When the result is SUSPENDED the caller defers the rest of its own.
 */
export function noteInterrupt(_desc: IrqDesc, _actionRet: number): Outcome {
  return DONE;
}

/** Asked by the flow handlers of a line that is in progress: true when that was a poll, which is over, and the interrupt may be handled. */
export function irqCheckPoll(_desc: IrqDesc): boolean {
  return false;
}

/**
 * Reports an answer that is no combination of IRQ_NONE, IRQ_HANDLED and IRQ_WAKE_THREAD, with the handlers that may have
 * given it. A number stands where the kernel shows a handler's address.
 */
export function reportBadReturn(desc: IrqDesc, shown: string, actions: readonly IrqAction[]): void {
  const handlers = actions.map((action) => {
    const place = action.nameId.toString(16).padStart(8, '0');
    const thread = action.threadFn === undefined ? '' : ` threaded [<${place}>] ${action.threadFn.name || action.name}`;
    return `[<${place}>] ${action.handler.name || action.name}${thread}`;
  });
  const text = [`irq event ${desc.irq}: bogus return value ${shown}`, 'handlers:', ...handlers].join('\n');
  desc.machine.printk('err', text);
}
