import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import type { Coroutine } from '../sched/coroutine.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { nsleep, udelay } from '../time/delay.js';
import { fakeLines } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_WAKE_THREAD, IRQCHIP_STATE_ACTIVE, type IrqReturn } from './flags.js';
import { disableHardirq, disableIrq, freeIrq } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';
import { synchronizeHardirq, synchronizeIrq } from './synchronize.js';

const US = 1_000;

function* busy(): Coroutine<IrqReturn> {
  yield* udelay(50);
  return IRQ_WAKE_THREAD;
}

function* sleepy(): Coroutine<IrqReturn> {
  yield* nsleep(30 * US);
  return IRQ_HANDLED;
}

/** A line with a handler that is busy for 50 µs on CPU 0, and a thread that sleeps for 30. */
function busyLine() {
  const lines = fakeLines({ cpus: 2 });
  const { machine, irq } = lines;
  machine.runTask(() => requestThreadedIrq(irq, busy, sleepy, 0, 'demo'));
  const began = machine.clock.now();
  const atUs = (): number => (machine.clock.now() - began) / US;
  /** What a task on CPU 1 gets, and when, if it asks 10 µs after the interrupt. */
  const ask = <R>(call: () => Coroutine<R>): [R, number] | undefined => {
    let answer: [R, number] | undefined;
    const body = function* (): Coroutine<void> {
      yield* udelay(10);
      const result = yield* call();
      answer = [result, atUs()];
    };
    machine.spawn('asks', body, { cpusAllowed: 2 });
    lines.pulse();
    machine.advance(200 * US);
    return answer;
  };
  return { ...lines, ask, atUs };
}

/** What becomes of a call for line 3 in the handler of line 5, on one CPU; with a thread, that one is asleep in its function. */
function inHandlerOfAnother(call: (irq: number) => Coroutine<unknown>, thread: boolean) {
  const lines = fakeLines();
  const { machine, irq, domain, pulse } = lines;
  const other = domain.createMapping(5);
  let error: unknown;
  const handler = function* (): Coroutine<IrqReturn> {
    try {
      yield* call(irq);
    } catch (thrown) {
      error = thrown;
    }
    return IRQ_HANDLED;
  };
  machine.runTask(function* () {
    yield* requestThreadedIrq(irq, () => (thread ? IRQ_WAKE_THREAD : IRQ_HANDLED), thread ? sleepy : null, 0, 'demo');
    yield* requestIrq(other, handler, 0, 'other');
  });
  pulse();
  machine.advance(10 * US);
  pulse(5);
  return { ...lines, error };
}

describe('synchronizeHardirq', () => {
  it('waits for handlers, and tells that a thread is active', () => {
    const { irq, ask } = busyLine();
    expect(ask(() => synchronizeHardirq(irq))).toEqual([false, 50]);
  });

  it('gives true at once for a line of which nothing runs', () => {
    const { machine, irq } = busyLine();
    expect(machine.runTask(() => synchronizeHardirq(irq))).toBe(true);
  });

  it('keeps its CPU busy: nothing else runs there meanwhile', () => {
    const { machine, irq, ask, atUs } = busyLine();
    const ran: number[] = [];
    const other = function* (): Coroutine<void> {
      yield* nsleep(20 * US);
      ran.push(atUs());
    };
    machine.spawn('other', other, { cpusAllowed: 2 });
    ask(() => synchronizeHardirq(irq));
    expect(ran).toEqual([50]);
  });

  it('is refused in a handler of the line, which it would wait for', () => {
    const { machine, domain, pulse } = fakeLines();
    const irq = domain.createMapping(5);
    let error: unknown;
    const handler = function* (): Coroutine<IrqReturn> {
      try {
        yield* synchronizeHardirq(irq);
      } catch (thrown) {
        error = thrown;
      }
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, 0, 'demo'));
    pulse(5);
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ code: 'EDEADLK' });
  });

  it('can be called in the handler of another line', () => {
    const { machine, irq, domain, pulse, atUs, at, taken } = busyLine();
    const other = domain.createMapping(5);
    const handler = function* (): Coroutine<IrqReturn> {
      at(String(yield* synchronizeHardirq(irq)));
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(other, handler, 0, 'other'));
    taken();
    const began = atUs();
    pulse(3, 0);
    pulse(5, 1);
    machine.advance(200 * US);
    expect([began, taken()]).toEqual([0, ['ack', 'ack', '50 hardirq false']]);
  });
});

describe('synchronizeIrq', () => {
  it('waits for handlers and for threads', () => {
    const { irq, ask } = busyLine();
    expect(ask(() => synchronizeIrq(irq))).toEqual([undefined, 80]);
  });

  it('waits for an interrupt that the chip has under way', () => {
    let inFlight = 3;
    const asked: number[] = [];
    const getIrqchipState = (_desc: unknown, which: number): boolean => {
      asked.push(which);
      return inFlight-- > 0;
    };
    const { machine, irq } = fakeLines({ chip: { getIrqchipState } });
    machine.runTask(() => synchronizeIrq(irq));
    expect(asked).toEqual(new Array(4).fill(IRQCHIP_STATE_ACTIVE));
  });

  it('takes a chip that cannot tell at its word', () => {
    const refuse = (): never => {
      throw new KernelError('EINVAL', 'no');
    };
    const { machine, irq } = fakeLines({ chip: { getIrqchipState: refuse } });
    expect(() => machine.runTask(() => synchronizeIrq(irq))).not.toThrow();
  });
});

describe('disabling and waiting', () => {
  it('is for handlers only with disable_hardirq, for threads too with disable_irq', () => {
    for (const [call, answer, when] of [
      [disableHardirq, false, 50],
      [disableIrq, undefined, 80],
    ] as const) {
      const { irq, ask, desc } = busyLine();
      expect(ask<unknown>(() => call(irq))).toEqual([answer, when]);
      expect(desc.depth).toBe(1);
    }
  });

  it('is complained of with softirqs off, and done all the same, as in the kernel', () => {
    const { machine, irq, desc, printed } = fakeLines();
    machine.runTask(() => requestIrq(irq, () => IRQ_HANDLED, 0, 'demo'));
    machine.runTask(function* () {
      localBhDisable();
      yield* disableIrq(irq);
      localBhEnable();
    });
    expect([desc.depth, printed.length]).toEqual([1, 1]);
    expect(printed[0]).toMatch(/^emerg: BUG: sleeping function called from invalid context[\s\S]*called: disable_irq/);
  });

  it('in the handler of another line is complained of, and done where nothing has to be slept for', () => {
    for (const call of [synchronizeIrq, disableIrq, freeIrq]) {
      const { printed, error, desc } = inHandlerOfAnother(call, false);
      expect([error, printed.join().includes('sleeping function called from invalid context')]).toEqual([
        undefined,
        true,
      ]);
      expect([desc.depth, desc.actions.length]).toEqual(
        new Map<unknown, number[]>([
          [synchronizeIrq, [0, 1]],
          [disableIrq, [1, 1]],
          [freeIrq, [1, 0]],
        ]).get(call),
      );
    }
  });

  it('in the handler of another line is refused where a thread has to be slept for, and nothing has changed', () => {
    for (const call of [synchronizeIrq, disableIrq, freeIrq]) {
      const { error, desc } = inHandlerOfAnother(call, true);
      expect(error).toMatchObject({ code: 'EDEADLK', hint: expect.any(String) });
      expect([desc.depth, desc.actions.length]).toEqual([0, 1]);
    }
  });

  it('in the handler of another line frees no action with a thread, which would have to be stopped', () => {
    const { machine, irq, desc, pulse, domain } = fakeLines();
    const other = domain.createMapping(5);
    let error: unknown;
    const handler = function* (): Coroutine<IrqReturn> {
      try {
        yield* freeIrq(irq);
      } catch (thrown) {
        error = thrown;
      }
      return IRQ_HANDLED;
    };
    machine.runTask(function* () {
      yield* requestThreadedIrq(irq, () => IRQ_HANDLED, sleepy, 0, 'demo');
      yield* requestIrq(other, handler, 0, 'other');
    });
    pulse(5);
    expect(error).toMatchObject({ code: 'EDEADLK', hint: expect.stringContaining('in a task') });
    expect([desc.actions.length, desc.actions[0]?.removed]).toEqual([1, false]);
  });

  it('is what free_irq does, so that its caller can take down what the handlers use', () => {
    const { irq, ask } = busyLine();
    expect(ask(() => freeIrq(irq))).toEqual(['demo', 80]);
  });
});
