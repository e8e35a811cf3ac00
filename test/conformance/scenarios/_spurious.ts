// The end that the scenarios of spurious interrupts have in common: what becomes of a line that was disabled.
import { type Coroutine, IRQ_HANDLED, IRQ_NONE, type IrqReturn } from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';

/** The two functions of the recorded driver, under their names, with what they answer and how often they were called. */
export class Spurious {
  answer: IrqReturn = IRQ_NONE;
  handlerCalls = 0;
  threadCalls = 0;

  readonly sp_h = (): IrqReturn => {
    this.handlerCalls++;
    return this.answer;
  };
}

/** How far it came, and, if the line was disabled, whether it is polled and what enables it. */
export function* aftermath(o: Oracle, A: Line, s: Spurious, fired: number): Coroutine<void> {
  const { disabled } = o.machine.irqs.get(A.irq);
  const { handlerCalls, threadCalls } = s;
  o.log('result', { fired, handler_calls: handlerCalls, thread_calls: threadCalls, disabled: disabled ? 1 : 0 });
  o.state('end', A);
  if (!disabled) return;
  yield* o.sleep(250);
  o.log('polled', { ran_during_250ms: s.handlerCalls > handlerCalls ? 'yes' : 'no' });
  s.answer = IRQ_HANDLED;
  yield* o.sleep(250);
  o.state('after-poll-handled', A);
  o.log('enable_irq');
  yield* o.enableIrq(A);
  o.state('after-enable_irq', A);
  const before = s.handlerCalls;
  yield* o.hard(() => A.handle());
  o.log('after-enable', { handler_ran: s.handlerCalls > before ? 1 : 0 });
}
