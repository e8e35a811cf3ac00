// Interrupts that arrive on the wrong line: whose handlers are tried (irqfixup, irqpoll).
import {
  disableIrq,
  finishOutcome,
  IRQ_HANDLED,
  IRQ_NONE,
  IRQF_IRQPOLL,
  IRQF_SHARED,
  type IrqHandler,
} from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';

/** Enough for a line to be disabled. */
const MANY = 120_000;

class Lines {
  readonly #o: Oracle;
  readonly A: Line;
  readonly B: Line;
  readonly C: Line;

  constructor(o: Oracle) {
    this.#o = o;
    this.A = o.line('A', 'level', { quiet: true });
    this.B = o.line('B', 'level', { quiet: true });
    this.C = o.line('C', 'edge', { quiet: true });
  }

  /** Logs where it is called, and answers. */
  handler(ev: string, answer: typeof IRQ_HANDLED | typeof IRQ_NONE): IrqHandler {
    return (irq) => {
      this.#o.log(ev, { line: this.#o.lines.get(irq) ?? '' });
      return answer;
    };
  }

  request(line: Line, handler: IrqHandler, name: string, flags = 0) {
    return this.#o.request(line, { handler, flags, name, dev: name });
  }

  *three() {
    const { A } = this;
    yield* this.#o.hard(function* () {
      for (let i = 0; i < 3; i++) yield* finishOutcome(A.handle());
    });
  }
}

function* many(o: Oracle, l: Lines) {
  o.variant('100000 of them');
  let calls = 0;
  const sp_h = () => {
    calls++;
    return IRQ_NONE;
  };
  yield* l.request(l.A, sp_h, 'a');
  const desc = o.machine.irqs.get(l.A.irq);
  while (calls < MANY && !desc.disabled) {
    yield* o.hard(function* () {
      for (let i = 0; i < 500; i++) yield* finishOutcome(l.A.handle());
    });
  }
  o.state('end', l.A);
  o.log('calls', { n: calls });
  yield* o.free(l.A, 'a');
}

export default function* (o: Oracle) {
  const l = new Lines(o);
  const none = l.handler('none', IRQ_NONE);
  const other = l.handler('other', IRQ_HANDLED);
  o.variant('the other line is not shared');
  yield* l.request(l.A, none, 'a');
  yield* l.request(l.B, other, 'b');
  yield* l.three();
  o.state('A', l.A);
  yield* o.free(l.B, 'b');
  o.variant('the other line is shared');
  yield* l.request(l.B, other, 'b', IRQF_SHARED);
  yield* l.request(l.C, none, 'c', IRQF_SHARED);
  yield* l.three();
  o.variant('the other line is disabled');
  yield* disableIrq(l.B.irq);
  yield* l.three();
  yield* o.enableIrq(l.B);
  o.variant('handled, and polled');
  yield* o.free(l.A, 'a');
  yield* l.request(l.A, other, 'a', IRQF_IRQPOLL);
  yield* l.three();
  yield* o.free(l.A, 'a');
  yield* o.free(l.B, 'b');
  yield* o.free(l.C, 'c');
  yield* o.sleep(250);
  yield* many(o, l);
}
