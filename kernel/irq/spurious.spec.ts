import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { udelay } from '../time/delay.js';
import { type FakeLines, fakeLines } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_IS_POLLED,
  IRQ_NONE,
  IRQ_WAKE_THREAD,
  IRQF_IRQPOLL,
  IRQF_SHARED,
  type IrqReturn,
} from './flags.js';
import type { IrqDesc, IrqHandler } from './irqdesc.js';
import { disableIrqNosync, enableIrq } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';

const MSEC = 1_000_000;
const COUNTED = 100_000;

/** A handler that says what it is told to, and counts. */
class Told {
  answer: IrqReturn;
  calls = 0;

  constructor(answer: IrqReturn) {
    this.answer = answer;
  }

  readonly handler: IrqHandler = () => {
    this.calls++;
    return this.answer;
  };
}

function request({ machine, irq }: FakeLines, handler: IrqHandler, flags = 0, devId: unknown = 'dev'): void {
  machine.runTask(() => requestIrq(irq, handler, flags, 'lamp', devId));
}

/** The other line, hardware line 5. */
function secondLine({ machine, domain }: FakeLines, handler: IrqHandler, flags = IRQF_SHARED): IrqDesc {
  const irq = domain.createMapping(5);
  machine.runTask(() => requestIrq(irq, handler, flags, 'other', 'dev'));
  return machine.irqs.get(irq);
}

function pulses({ pulse }: FakeLines, count: number): void {
  for (let i = 0; i < count; i++) pulse();
}

describe('a line whose interrupts nobody wants', () => {
  it('is disabled at exactly the 100,000th, with a report, and its next edge is kept', () => {
    const lines = fakeLines();
    const told = new Told(IRQ_NONE);
    request(lines, told.handler);
    lines.taken();
    pulses(lines, COUNTED - 1);
    expect(lines.desc.depth).toBe(0);
    expect(lines.printed).toEqual([]);
    pulses(lines, 1);
    expect(lines.desc).toMatchObject({ depth: 1, disabled: true, masked: false, spuriousDisabled: true });
    expect(lines.printed).toEqual([
      expect.stringMatching(
        /^err: irq 1: nobody cared \(try booting with the "irqpoll" option\)\nhandlers:\n\[<[0-9a-f]{8}>\] /,
      ),
      'emerg: Disabling IRQ #1',
    ]);
    lines.taken();
    pulses(lines, 2);
    expect(lines.taken()).toEqual(['mask_ack', 'blocked']);
    expect(told.calls).toBe(COUNTED);
  });

  it('is not polled if it is not shared, and works again when it is enabled', () => {
    const lines = fakeLines();
    const told = new Told(IRQ_NONE);
    request(lines, told.handler);
    pulses(lines, COUNTED);
    lines.machine.advance(500 * MSEC);
    expect(told.calls).toBe(COUNTED);
    told.answer = IRQ_HANDLED;
    lines.machine.runTask(function* () {
      enableIrq(lines.irq);
      yield* udelay(1);
    });
    pulses(lines, 1);
    expect(told.calls).toBe(COUNTED + 1);
  });

  it('is polled ten times a second if it is shared, which does not enable it', () => {
    const lines = fakeLines();
    const told = new Told(IRQ_NONE);
    request(lines, told.handler, IRQF_SHARED);
    pulses(lines, COUNTED);
    told.answer = IRQ_HANDLED;
    lines.machine.advance(1_050 * MSEC);
    expect(told.calls - COUNTED).toBe(10);
    expect(lines.desc.depth).toBe(1);
    expect(lines.desc.polling).toBe(false);
  });

  it.each([
    [99, 1],
    [100, 0],
  ])('with %i of 100,000 handled has a depth of %i', (handled, depth) => {
    const lines = fakeLines();
    const told = new Told(IRQ_NONE);
    request(lines, told.handler);
    pulses(lines, COUNTED - handled - 1);
    told.answer = IRQ_HANDLED;
    pulses(lines, handled);
    told.answer = IRQ_NONE;
    pulses(lines, 1);
    expect(lines.desc.depth).toBe(depth);
    expect(lines.desc).toMatchObject({ irqCount: 0, irqsUnhandled: 0 });
  });

  it('counts anew when its unhandled interrupts are more than a tenth of a second apart', () => {
    const lines = fakeLines();
    const told = new Told(IRQ_NONE);
    request(lines, told.handler);
    pulses(lines, 50_000);
    expect(lines.desc.irqsUnhandled).toBe(50_000);
    lines.machine.advance(100 * MSEC);
    pulses(lines, 1);
    expect(lines.desc.irqsUnhandled).toBe(50_001);
    lines.machine.advance(104 * MSEC);
    pulses(lines, 1);
    expect(lines.desc).toMatchObject({ irqsUnhandled: 1, irqCount: 50_002 });
  });

  it('counts as the kernel does, whatever comes when', () => {
    const event = fc.record({ handled: fc.boolean(), afterMs: fc.constantFrom(0, 0, 0, 40, 99, 104, 300) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const lines = fakeLines();
        const told = new Told(IRQ_NONE);
        request(lines, told.handler);
        let count = 0;
        let unhandled = 0;
        let lastTick = Number.NEGATIVE_INFINITY;
        for (const { handled, afterMs } of events) {
          if (afterMs > 0) lines.machine.advance(afterMs * MSEC);
          told.answer = handled ? IRQ_HANDLED : IRQ_NONE;
          lines.pulse();
          const tick = Math.floor(lines.machine.clock.now() / (4 * MSEC));
          if (!handled) {
            unhandled = tick - lastTick > 25 ? 1 : unhandled + 1;
            lastTick = tick;
          }
          if (unhandled > 0) count++;
        }
        expect(lines.desc).toMatchObject({ irqCount: count, irqsUnhandled: unhandled });
      }),
    );
  });

  it('is left alone when it was said to be polled', () => {
    const lines = fakeLines();
    request(lines, new Told(IRQ_NONE).handler);
    lines.desc.settings |= IRQ_IS_POLLED;
    pulses(lines, 10);
    expect(lines.desc.irqsUnhandled).toBe(0);
  });
});

describe('a line that only wakes its thread', () => {
  function threaded(answer: IrqReturn): FakeLines {
    const lines = fakeLines();
    lines.machine.runTask(() =>
      requestThreadedIrq(
        lines.irq,
        () => IRQ_WAKE_THREAD,
        () => answer,
        0,
        'lamp',
      ),
    );
    return lines;
  }

  it('is judged by the answers of the thread, one interrupt later', () => {
    const lines = threaded(IRQ_NONE);
    pulses(lines, COUNTED);
    expect(lines.desc.depth).toBe(0);
    pulses(lines, 1);
    expect(lines.desc.depth).toBe(1);
    expect(lines.printed[0]).toMatch(/\nhandlers:\n\[<[0-9a-f]{8}>\] \S+ threaded \[<[0-9a-f]{8}>\] \S+$/);
  });

  it('stays when its thread handles them', () => {
    const lines = threaded(IRQ_HANDLED);
    pulses(lines, 1_000);
    expect(lines.desc).toMatchObject({ depth: 0, irqsUnhandled: 0, irqCount: 0, threadsHandled: 1_000 });
  });
});

describe('a shared line of which one wakes its thread', () => {
  it('is judged at once when the other has handled the interrupt, and anew with the next that only wakes', () => {
    const lines = fakeLines();
    const other = new Told(IRQ_NONE);
    lines.machine.runTask(function* () {
      yield* requestThreadedIrq(
        lines.irq,
        () => IRQ_WAKE_THREAD,
        () => IRQ_NONE,
        IRQF_SHARED,
        'wakes',
        'a',
      );
      yield* requestIrq(lines.irq, other.handler, IRQF_SHARED, 'handles', 'b');
    });
    pulses(lines, 2);
    expect(lines.desc).toMatchObject({ spuriousDeferred: true, irqsUnhandled: 1 });
    other.answer = IRQ_HANDLED;
    pulses(lines, 1);
    expect(lines.desc.spuriousDeferred).toBe(false);
    other.answer = IRQ_NONE;
    pulses(lines, 1);
    expect(lines.desc).toMatchObject({ spuriousDeferred: true, irqsUnhandled: 1 });
  });
});

describe('noirqdebug', () => {
  it('keeps a line that nobody wants', () => {
    const lines = fakeLines({ machine: { noirqdebug: true } });
    expect(lines.printed).toEqual(['info: IRQ lockup detection disabled']);
    request(lines, new Told(IRQ_NONE).handler);
    pulses(lines, COUNTED + 1);
    expect(lines.desc).toMatchObject({ depth: 0, irqsUnhandled: 0 });
  });
});

describe('irqfixup', () => {
  it('asks the shared handlers of the other lines when nobody wanted an interrupt', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    expect(lines.printed).toEqual([
      'warning: Misrouted IRQ fixup support enabled.',
      'warning: This may impact system performance.',
    ]);
    const other = new Told(IRQ_HANDLED);
    const desc = secondLine(lines, other.handler);
    const told = new Told(IRQ_NONE);
    request(lines, told.handler);
    pulses(lines, 10);
    expect(other.calls).toBe(10);
    expect(lines.desc).toMatchObject({ irqsUnhandled: 0, irqCount: 0 });
    expect(desc).toMatchObject({ irqsUnhandled: 0, polling: false, inProgress: false });
    other.answer = IRQ_NONE;
    pulses(lines, 10);
    expect(lines.desc.irqsUnhandled).toBe(10);
    // What is polled is not judged itself.
    expect(desc.irqsUnhandled).toBe(0);
    told.answer = IRQ_HANDLED;
    pulses(lines, 1);
    expect(other.calls).toBe(20);
  });

  it('asks handlers that give the CPU back, and goes on behind them', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    secondLine(lines, function* () {
      yield* udelay(7);
      lines.at('other');
      return IRQ_HANDLED;
    });
    request(lines, function* () {
      yield* udelay(5);
      lines.at('first');
      return IRQ_NONE;
    });
    const start = lines.machine.clock.now() / 1_000;
    lines.taken();
    pulses(lines, 1);
    lines.machine.advance(MSEC);
    expect(lines.taken()).toEqual(['ack', `${start + 5} hardirq first`, `${start + 12} hardirq other`]);
    expect(lines.desc).toMatchObject({ irqsUnhandled: 0, inProgress: false });
  });

  it('warns of a handler that raises its own line while it is polled; the interrupt is kept, and handled in the poll', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    let calls = 0;
    const desc = secondLine(lines, () => {
      if (calls++ === 0) lines.domain.handle(5);
      return IRQ_HANDLED;
    });
    request(lines, new Told(IRQ_NONE).handler);
    pulses(lines, 1);
    expect(lines.printed.slice(2)).toEqual([
      `warning: irq poll in progress on cpu 0 for irq ${desc.irq} (irq_wait_for_poll)`,
    ]);
    expect(calls).toBe(2);
    expect(desc).toMatchObject({ polling: false, pending: false, inProgress: false });
  });

  it('does not ask the line itself again', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    const told = new Told(IRQ_NONE);
    request(lines, told.handler, IRQF_SHARED);
    pulses(lines, 3);
    expect([told.calls, lines.desc.pending]).toEqual([3, false]);
  });

  it('has a line whose handlers run on another CPU looked at once more there', () => {
    const lines = fakeLines({ cpus: 2, machine: { irqfixup: 1 } });
    let calls = 0;
    const desc = secondLine(lines, function* () {
      calls++;
      yield* udelay(50);
      return IRQ_HANDLED;
    });
    request(lines, new Told(IRQ_NONE).handler);
    lines.pulse(5, 1);
    lines.machine.advance(10_000);
    lines.pulse(3, 0);
    expect([calls, desc.pending]).toEqual([1, true]);
    lines.machine.advance(MSEC);
    expect([calls, desc.pending, desc.total, lines.desc.irqsUnhandled]).toEqual([2, false, 1, 1]);
  });

  it('leaves lines alone that are polled by their driver', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    const other = new Told(IRQ_HANDLED);
    const desc = secondLine(lines, other.handler);
    desc.settings |= IRQ_IS_POLLED;
    request(lines, new Told(IRQ_NONE).handler);
    pulses(lines, 2);
    expect(other.calls).toBe(0);
  });

  it('leaves lines alone that are not shared, disabled, or without an action', () => {
    const lines = fakeLines({ machine: { irqfixup: 1 } });
    const other = new Told(IRQ_HANDLED);
    secondLine(lines, other.handler, 0);
    const third = lines.domain.createMapping(6);
    lines.machine.runTask(function* () {
      yield* requestIrq(third, other.handler, IRQF_SHARED, 'third', 'dev');
      disableIrqNosync(third);
    });
    lines.domain.createMapping(7);
    request(lines, new Told(IRQ_NONE).handler);
    pulses(lines, 2);
    expect(other.calls).toBe(0);
    expect(lines.desc.irqsUnhandled).toBe(2);
  });
});

describe('irqpoll', () => {
  it('asks the other handlers with each interrupt of an IRQF_IRQPOLL line, whatever it was', () => {
    const lines = fakeLines({ machine: { irqfixup: 2 } });
    expect(lines.printed).toEqual([
      'warning: Misrouted IRQ fixup and polling support enabled',
      'warning: This may significantly impact system performance',
    ]);
    const other = new Told(IRQ_HANDLED);
    secondLine(lines, other.handler);
    request(lines, new Told(IRQ_HANDLED).handler, IRQF_IRQPOLL);
    pulses(lines, 5);
    expect(other.calls).toBe(5);
  });

  it('makes an interrupt of a line that is polled wait for the end of the poll', () => {
    const lines = fakeLines({ cpus: 2, machine: { irqfixup: 1 } });
    secondLine(lines, function* () {
      lines.at('other begins');
      yield* udelay(10);
      lines.at('other ends');
      return IRQ_HANDLED;
    });
    request(lines, new Told(IRQ_NONE).handler);
    const start = lines.machine.clock.now() / 1_000;
    lines.taken();
    pulses(lines, 1);
    lines.machine.advance(4_000);
    lines.pulse(5, 1);
    lines.machine.advance(MSEC);
    expect(lines.taken()).toEqual([
      'ack',
      `${start} hardirq other begins`,
      `${start + 10} hardirq other ends`,
      'ack',
      `${start + 10} hardirq other begins`,
      `${start + 20} hardirq other ends`,
    ]);
  });
});

describe('a handler whose answers are none', () => {
  it('is reported a hundred times', () => {
    const lines = fakeLines();
    request(lines, () => 77 as IrqReturn);
    pulses(lines, 150);
    expect(lines.printed.length).toBe(100);
    expect(lines.desc.irqsUnhandled).toBe(0);
  });
});
