import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localIrqEnable } from '../sched/core.js';
import type { Atomic } from '../sched/coroutine.js';
import { irqsDisabled } from '../sched/current.js';
import { nsleep, udelay } from '../time/delay.js';
import { Tracepoint } from '../trace/ring.js';
import { type FakeLines, fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, IRQF_SHARED, type IrqReturn } from './flags.js';
import type { IrqHandler } from './irqdesc.js';
import { freeIrq } from './manage.js';
import { requestIrq, requestThreadedIrq } from './request.js';

/** Sleeps to the ns, where the kernel's msleep rounds up to ticks. */
const msleep = (ms: number): ReturnType<typeof nsleep> => nsleep(ms * 1_000_000);

function request({ machine, irq }: FakeLines, handler: IrqHandler, name = 'one', flags = 0, devId?: unknown): void {
  machine.runTask(() => requestIrq(irq, handler, flags, name, devId));
}

/** A handler whose answer is no IrqReturn, as plain JavaScript may give. */
function answering(value: unknown): IrqHandler {
  return () => value as IrqReturn;
}

describe('a shared line', () => {
  it('runs a handler that is added while another CPU runs those before it, and none twice', () => {
    const lines = fakeLines({ cpus: 2 });
    const { machine, irq, log, pulse } = lines;
    const slow: IrqHandler = function* () {
      log.push('slow begins');
      yield* udelay(50);
      log.push('slow ends');
      return IRQ_HANDLED;
    };
    request(lines, slow, 'slow', IRQF_SHARED, 'slow');
    const body = function* () {
      yield* udelay(10);
      const added = handledAfter(() => log.push('added'));
      yield* requestIrq(irq, added, IRQF_SHARED, 'added', 'added');
      log.push('requested');
    };
    machine.spawn('requests', body, { cpusAllowed: 2 });
    lines.taken();
    pulse();
    machine.advance(1_000_000);
    expect(lines.taken()).toEqual(['ack', 'slow begins', 'requested', 'slow ends', 'added']);
    expect(machine.irqs.get(irq).total).toBe(1);
  });

  it('runs every handler in order of registration, whatever they answer, and wakes the thread of who asks', () => {
    const lines = fakeLines();
    const { machine, irq, log, pulse, taken } = lines;
    let answers: Record<string, IrqReturn> = {};
    const add = (dev: string, thread = false): void => {
      const primary: IrqHandler = (_, devId) => {
        log.push(`${devId}`);
        return answers[dev] ?? IRQ_HANDLED;
      };
      const threadFn = thread ? handledAfter(() => log.push(`thread ${dev}`)) : null;
      machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, IRQF_SHARED, dev, dev));
    };
    const fire = (a: IrqReturn, b: IrqReturn, c: IrqReturn): string[] => {
      answers = { a, b, c };
      taken();
      pulse();
      machine.advance(8_000_000);
      return taken();
    };
    add('a');
    add('b', true);
    add('c');
    expect(fire(1, 1, 1)).toEqual(['ack', 'a', 'b', 'c']);
    expect(fire(1, 0, 0)).toEqual(['ack', 'a', 'b', 'c']);
    expect(fire(0, 2, 1)).toEqual(['ack', 'a', 'b', 'c', 'thread b']);
    expect(fire(1, 2, 0)).toEqual(['ack', 'a', 'b', 'c', 'thread b']);
    expect(machine.runTask(() => freeIrq(irq, 'b'))).toBe('b');
    expect(fire(0, 1, 1)).toEqual(['ack', 'a', 'c']);
    add('b');
    expect(fire(1, 1, 1)).toEqual(['ack', 'a', 'c', 'b']);
  });

  it('runs the rest in order behind handlers that give the CPU back, at any place', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('plain', 'generator', 'throws'), { maxLength: 8 }), (kinds) => {
        const lines = fakeLines();
        const { log, machine, pulse, printed, taken, desc } = lines;
        kinds.forEach((kind, i) => {
          const handler = (): Atomic<IrqReturn> => {
            if (kind === 'throws') throw new Error(`of ${i}`);
            if (kind === 'plain') {
              log.push(`${i}`);
              return IRQ_HANDLED;
            }
            return (function* () {
              yield* udelay(5);
              log.push(`${i}`);
              return IRQ_NONE;
            })();
          };
          request(lines, handler, `h${i}`, IRQF_SHARED, i);
        });
        taken();
        pulse();
        machine.advance(1_000_000);
        const ran = kinds.flatMap((kind, i) => (kind === 'throws' ? [] : [`${i}`]));
        expect(taken().filter((entry) => /\d/.test(entry))).toEqual(ran);
        expect(printed.length).toBe(kinds.filter((kind) => kind === 'throws').length);
        expect([desc.inProgress, machine.bootCpu.irqsEnabled, machine.bootCpu.preemptCount & ~1]).toEqual([
          false,
          true,
          0,
        ]);
      }),
    );
  });

  it('leaves out a handler that was freed while another one was running, and no other', () => {
    const lines = fakeLines({ cpus: 2 });
    const { log, machine, irq, pulse, taken } = lines;
    const slow = function* () {
      yield* udelay(100);
      log.push('a');
      return IRQ_HANDLED;
    };
    request(lines, slow, 'a', IRQF_SHARED, 'a');
    for (const dev of ['b', 'c', 'd']) {
      request(
        lines,
        handledAfter(() => log.push(dev)),
        dev,
        IRQF_SHARED,
        dev,
      );
    }
    taken();
    pulse();
    const freed = function* () {
      yield* udelay(10);
      yield* freeIrq(irq, 'c');
      log.push('freed c');
    };
    machine.spawn('free-c', freed, { cpusAllowed: 2 });
    machine.advance(1_000_000);
    expect(taken()).toEqual(['ack', 'a', 'b', 'd', 'freed c']);
  });
});

describe('a handler', () => {
  it('runs in hard interrupt context with interrupts off', () => {
    const lines = fakeLines();
    const handler = (irq: number, devId: unknown): IrqReturn => {
      lines.at(`${irq === lines.irq} ${devId} ${irqsDisabled()}`);
      return IRQ_HANDLED;
    };
    request(lines, handler, 'one', 0, 'dev');
    lines.taken();
    lines.pulse();
    expect(lines.taken()).toEqual(['ack', '0 hardirq true dev true']);
  });

  it('that takes time delays everything else on its CPU', () => {
    const lines = fakeLines();
    const { machine, at, pulse, taken } = lines;
    const handler = function* () {
      at('begins');
      yield* udelay(50);
      at('ends');
      return IRQ_HANDLED;
    };
    request(lines, handler);
    taken();
    machine.spawn('task', function* () {
      yield* udelay(10);
      at('10 µs of work done');
    });
    machine.advance(5_000);
    pulse();
    machine.advance(100_000);
    expect(taken()).toEqual(['ack', '5 hardirq begins', '55 hardirq ends', '55 task 10 µs of work done']);
  });

  it('that throws is reported with its stack, and the line goes on working', () => {
    const lines = fakeLines();
    request(lines, () => {
      throw new Error('out of luck');
    });
    lines.pulse();
    lines.pulse();
    expect(lines.printed.length).toBe(2);
    expect(lines.printed[0]).toMatch(
      /^alert: Oops: exception in handler one of irq \d+\nError: out of luck\n +at .*handle\.spec/,
    );
    expect(lines.desc.total).toBe(2);
  });

  it('that sleeps is a bug, ended there', () => {
    const lines = fakeLines();
    request(lines, function* () {
      yield* msleep(1);
      lines.log.push('never');
      return IRQ_HANDLED;
    });
    lines.pulse();
    lines.machine.advance(10_000_000);
    expect(lines.printed[0]).toMatch(/^emerg: BUG: scheduling while atomic: /);
    expect(lines.printed.at(-1)).toMatch(
      /^alert: Oops: exception in handler one of irq \d+\nKernelError: .*nothing can sleep/,
    );
    expect(lines.log).not.toContain('never');
    lines.pulse();
    expect(lines.desc.total).toBe(2);
  });

  it('that is async is a bug, named with the place for it; its rejection is reported too', async () => {
    const lines = fakeLines();
    request(lines, (async () => {
      throw new Error('later');
    }) as unknown as IrqHandler);
    lines.pulse();
    expect(lines.printed[0]).toMatch(
      /^emerg: BUG: scheduling while atomic: swapper\/0\/0\/0x0001000[01]\nhandler one of irq \d+ returned a promise; /,
    );
    await Promise.resolve();
    expect(lines.printed[1]).toMatch(/^alert: Oops: exception in handler one of irq \d+\nError: later/);
  });

  it('that enables interrupts is told once, and they are off again for the next', () => {
    const lines = fakeLines();
    const off: boolean[] = [];
    const first = function enabler(): IrqReturn {
      localIrqEnable();
      return IRQ_HANDLED;
    };
    request(lines, first, 'a', IRQF_SHARED, 'a');
    request(
      lines,
      handledAfter(() => off.push(irqsDisabled())),
      'b',
      IRQF_SHARED,
      'b',
    );
    lines.pulse();
    lines.pulse();
    const told = lines.printed.filter((text) => text.includes('enabled interrupts'));
    expect(told).toEqual([`warning: irq ${lines.irq} handler enabler enabled interrupts (__handle_irq_event_percpu)`]);
    expect(off).toEqual([true, true]);
  });

  it('that asks for a thread it has not got is told so once', () => {
    const lines = fakeLines();
    request(lines, () => IRQ_WAKE_THREAD, 'nothread');
    lines.pulse();
    lines.pulse();
    const text = `warning: IRQ ${lines.irq} device nothread returned IRQ_WAKE_THREAD but no thread function available.`;
    expect(lines.printed).toEqual([text]);
    expect(lines.desc.total).toBe(2);
  });

  it('that answers HANDLED and WAKE_THREAD at once wakes nothing, as in the kernel', () => {
    const lines = fakeLines();
    const { machine, irq } = lines;
    machine.runTask(() =>
      requestThreadedIrq(
        irq,
        () => 3,
        handledAfter(() => lines.log.push('thread')),
        0,
        'one',
      ),
    );
    lines.pulse();
    expect(lines.log).toEqual(['unmask', 'ack']);
    expect(lines.printed).toEqual([]);
  });

  it.each([
    [77, '4d'],
    [-1, 'ffffffff'],
    [4, '4'],
  ])('that answers %d is reported each time, with the handlers of the line', (value, shown) => {
    const lines = fakeLines();
    request(lines, () => IRQ_HANDLED, 'ok', IRQF_SHARED, 'a');
    request(lines, Object.defineProperty(answering(value), 'name', { value: 'h_primary' }), 'bad', IRQF_SHARED, 'b');
    lines.pulse();
    lines.pulse();
    const all = (value | 1) >>> 0;
    expect(all.toString(16)).toBe(shown === '4' ? '5' : shown);
    const text = `err: irq event ${lines.irq}: bogus return value ${all.toString(16)}\nhandlers:\n`;
    expect(lines.printed.length).toBe(2);
    expect(lines.printed[0]?.startsWith(text)).toBe(true);
    expect(lines.printed[0]?.split('\n').at(-1)).toMatch(/^\[<[0-9a-f]{8}>\] h_primary$/);
  });

  it.each([[undefined], [null], [true], [Number.NaN], [1.5], ['HANDLED'], [{}]])(
    'that answers %s is reported by name, and the others run',
    (value) => {
      const lines = fakeLines();
      request(lines, answering(value), 'bad', IRQF_SHARED, 'a');
      request(
        lines,
        handledAfter(() => lines.log.push('next')),
        'ok',
        IRQF_SHARED,
        'b',
      );
      lines.pulse();
      expect(lines.printed.length).toBe(1);
      expect(lines.printed[0]).toContain(`irq event ${lines.irq}: bogus return value ${String(value)}\nhandlers:\n`);
      expect(lines.log.at(-1)).toBe('next');
    },
  );

  it('leaves its entry and its exit in the trace', () => {
    const lines = fakeLines();
    request(lines, () => IRQ_NONE, 'traced');
    const from = lines.machine.trace.written;
    lines.pulse();
    const records = [...lines.machine.trace.read(from)].map(({ event, a, b, name }) => ({ event, a, b, name }));
    expect(records).toEqual([
      { event: Tracepoint.irqHandlerEntry, a: lines.irq, b: 0, name: 'traced' },
      { event: Tracepoint.irqHandlerExit, a: lines.irq, b: 0, name: 'traced' },
    ]);
  });
});
