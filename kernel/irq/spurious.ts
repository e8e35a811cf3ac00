// Answers of handlers that are none (kernel/irq/spurious.c).
import type { IrqAction, IrqDesc } from './irqdesc.js';

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
