import { describe, expect, it } from 'vitest';
import {
  type Coroutine,
  disableIrq,
  enableIrq,
  enablePercpuIrq,
  freeIrq,
  IRQ_HANDLED,
  IRQF_ONESHOT,
  type IrqReturn,
  irqSetPercpuDevid,
  localIrqDisable,
  preemptDisable,
  preemptPoint,
} from '../../kernel/index.js';
import { eventText } from './events.js';
import { runProgram } from './run-scenario.js';
import { ChipFlag, type Oracle, type Program } from './vocabulary.js';

/** What a program logs, as names of events and their values. */
function logOf(program: Program, cpus = 1): string[] {
  return runProgram(program, { cpus }).events.map((event) => eventText(event).replace(/^.*: /, ''));
}

/** The same without the calls of the chip. */
function hardwareLog(program: Program): string[] {
  return logOf(program).filter((entry) => !entry.startsWith('chip.') && !entry.startsWith('line.new'));
}

function* handled(o: Oracle, latching: boolean) {
  const A = o.line('A', 'edge', { latching });
  yield* o.request(A, { handler: () => IRQ_HANDLED, log: false });
  return A;
}

describe('a fake line', () => {
  it('forgets edges that arrive while it is masked', () => {
    const log = hardwareLog(function* (o) {
      const A = yield* handled(o, false);
      yield* disableIrq(A.irq);
      for (let i = 0; i < 3; i++) yield* o.pulse(A);
      o.log('enable');
      o.machine.irqs.get(A.irq).pending = false;
      yield* o.enableIrq(A);
    });
    expect(log).toEqual(['hw.deliver line=A', 'hw.blocked line=A', 'hw.blocked line=A', 'enable']);
  });

  it('that latches delivers them when it is unmasked, as one', () => {
    const log = hardwareLog(function* (o) {
      const A = yield* handled(o, true);
      yield* disableIrq(A.irq);
      for (let i = 0; i < 3; i++) yield* o.pulse(A);
      o.log('enable');
      o.machine.irqs.get(A.irq).pending = false;
      enableIrq(A.irq);
      yield* preemptPoint();
    });
    expect(log.slice(-2)).toEqual(['enable', 'hw.deliver line=A']);
  });

  it('keeps one edge with interrupts off', () => {
    const log = hardwareLog(function* (o) {
      const A = yield* handled(o, false);
      localIrqDisable();
      yield* o.pulse(A);
      yield* o.pulse(A);
      o.log('pulsed');
      yield* o.localIrqEnable();
    });
    expect(log).toEqual(['pulsed', 'hw.deliver line=A']);
  });

  it('is delivered again while it is asserted, six times at most', () => {
    const log = hardwareLog(function* (o) {
      const A = yield* handled(o, false);
      yield* o.assert(A);
      o.log('asserted');
      o.deassert(A);
      yield* o.assert(A);
    });
    const storm = [...new Array<string>(6).fill('hw.deliver line=A'), 'hw.storm_cut line=A'];
    expect(log).toEqual([...storm, 'asserted', ...storm]);
  });

  it('is delivered no more once the handler has deasserted it', () => {
    const log = hardwareLog(function* (o) {
      const A = o.line('A', 'edge');
      let runs = 0;
      const handler = () => {
        if (++runs === 3) o.deassert(A);
        return IRQ_HANDLED as 1;
      };
      yield* o.request(A, { handler, log: false });
      yield* o.assert(A);
    });
    expect(log).toEqual(new Array(3).fill('hw.deliver line=A'));
  });

  it('has the chip that its flags say', () => {
    const log = logOf(function* (o) {
      const A = o.line('A', 'edge', { chipflags: ChipFlag.startupShutdown | ChipFlag.noMaskAck });
      const d = o.device('d');
      yield* o.request(A, { handler: d.handler, name: 'd', dev: d, log: false });
      yield* disableIrq(A.irq);
      yield* o.pulse(A);
      yield* o.free(A, d);
    });
    expect(log).toEqual([
      'line.new line=A flow=edge chipflags=320',
      'chip.startup line=A',
      'chip.set_affinity line=A mask=0 force=0',
      'hw.deliver line=A',
      'chip.mask line=A',
      'chip.ack line=A',
      'chip.shutdown line=A',
      'free_irq line=A name=d',
    ]);
  });

  it('refuses trigger types as it is told to', () => {
    const log = logOf(function* (o) {
      const BAD = o.line('BAD', 'edge', { setTypeFails: ['EINVAL', 'ENXIO'] });
      for (const flags of [4, 8, 1]) yield* o.request(BAD, { handler: () => IRQ_HANDLED, flags });
    });
    expect(log.filter((entry) => !entry.includes('unmask'))).toEqual([
      'line.new line=BAD flow=edge chipflags=0',
      'chip.set_type line=BAD type=4 ret=-22',
      'request ret=-22',
      'chip.set_type line=BAD type=8 ret=-6',
      'request ret=-6',
      'chip.set_type line=BAD type=1 ret=0',
      'chip.set_affinity line=BAD mask=0 force=0',
      'request ret=0',
    ]);
  });

  it('of each CPU, and of a thread, stands by its name in the text of the kernel', () => {
    const { kernel } = runProgram(function* (o) {
      const A = o.line('A', 'percpu_devid');
      irqSetPercpuDevid(A.irq);
      enablePercpuIrq(A.irq);
      yield* o.pulse(A);
      const thread = function* (): Coroutine<IrqReturn> {
        preemptDisable();
        yield* o.sleep(1);
        return IRQ_HANDLED;
      };
      const B = o.line('B', 'edge');
      yield* o.request(B, { thread, flags: IRQF_ONESHOT, name: 'b' });
      yield* o.pulse(B);
    });
    expect(kernel).toEqual([
      'Spurious and unmasked percpu IRQ<A> on CPU0',
      expect.stringMatching(/^BUG: scheduling while atomic: irq\/<B>-b\/P\/0x/),
    ]);
  });

  it('gives its number back, for the next of its name', () => {
    const numbers: number[] = [];
    runProgram(function* (o) {
      for (let i = 0; i < 2; i++) {
        const A = yield* handled(o, false);
        numbers.push(A.irq);
        yield* freeIrq(A.irq);
        A.dispose();
      }
    });
    expect(new Set(numbers).size).toBe(1);
  });
});

describe('a program', () => {
  it('counts jiffies from the tick that it has waited for', () => {
    const log = logOf(function* (o) {
      yield* o.sleep(3);
      yield* o.base();
      o.log('base', { j: o.j() });
      yield* o.busyUntil(3);
      o.log('later', { j: o.j() });
      yield* o.sleep(4);
      o.log('slept', { j: o.j() });
    });
    expect(log).toEqual(['base j=0', 'later j=3', 'slept j=5']);
  });

  it('runs functions on other CPUs, and waits for them', () => {
    const log = logOf(function* (o) {
      yield* o.callOn(1, () => o.log('there'));
      o.log('back');
    }, 2);
    expect(log).toEqual(['there', 'back']);
  });

  it('is not told what the machine says when it is put together', () => {
    const { kernel } = runProgram(
      function* (o) {
        o.machine.printk('info', 'hello');
        yield* o.point();
      },
      { irqfixup: 2 },
    );
    expect(kernel).toEqual(['hello']);
  });

  it('that never ends is told so', () => {
    const program = function* (o: Oracle) {
      yield* o.thread('other', function* () {
        for (;;) yield* o.sleep(60_000);
      });
      for (;;) yield* o.sleep(60_000);
    };
    expect(() => runProgram(program)).toThrow('the scenario does not end: oracle is in state D');
  });
});
