import { describe, expect, it } from 'vitest';
import { context, irqsDisabled } from '../sched/current.js';
import { udelay } from '../time/delay.js';
import { type FakeLineOptions, fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_LEVEL, IRQ_NESTED_THREAD, IRQF_ONESHOT } from './flags.js';
import type { IrqHandler } from './irqdesc.js';
import { irqSetStatusFlags } from './line-setup.js';
import { disableIrqNosync, enableIrq, freeIrq, irqSetParent } from './manage.js';
import { handleNestedIrq } from './nested.js';
import { requestIrq, requestThreadedIrq } from './request.js';
import { irqInjectInterrupt } from './resend.js';

/** Lines on a chip that cannot retrigger, with a handler on each of the given ones that logs where it runs. */
function softwareLines(hwirqs: readonly number[], options: FakeLineOptions = {}) {
  const lines = fakeLines({ full: false, ...options });
  const { machine, domain, log } = lines;
  const irqs = hwirqs.map((hwirq) => domain.createMapping(hwirq));
  for (const [i, irq] of irqs.entries()) {
    const handler: IrqHandler = () => {
      log.push(`line ${hwirqs[i]} in ${context()}${irqsDisabled() ? ', irqs off' : ''}`);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, 0, `line ${hwirqs[i]}`));
  }
  lines.taken();
  return { ...lines, irqs };
}

describe('an interrupt that was kept', () => {
  it('comes from a tasklet where the hardware cannot repeat it, with interrupts off as in an interrupt', () => {
    const { machine, irq, pulse, taken, desc } = softwareLines([3]);
    machine.runTask(() => disableIrqNosync(irq));
    pulse();
    expect([taken(), desc.pending, desc.replay]).toEqual([['mask', 'ack'], true, false]);
    machine.runTask(() => enableIrq(irq));
    machine.advance(1_000_000);
    expect(taken()).toEqual(['unmask', 'ack', 'line 3 in softirq, irqs off']);
    expect([desc.pending, desc.replay, desc.resendQueued]).toEqual([false, false, false]);
  });

  it('comes after those that were resent behind it: the last first', () => {
    const { machine, irqs, pulse, taken } = softwareLines([1, 2, 3]);
    machine.runTask(() => {
      for (const irq of irqs) disableIrqNosync(irq);
    });
    for (const hwirq of [1, 2, 3]) pulse(hwirq);
    taken();
    machine.runTask(() => {
      for (const irq of irqs) enableIrq(irq);
    });
    machine.advance(1_000_000);
    expect(taken().filter((entry) => entry.startsWith('line'))).toEqual(
      [3, 2, 1].map((n) => `line ${n} in softirq, irqs off`),
    );
  });

  it('is waited for by the next, when its handler takes time', () => {
    const { machine, irq, domain, pulse, taken, log } = fakeLines({ full: false });
    const other = domain.createMapping(4);
    const slow: IrqHandler = function* () {
      yield* udelay(50);
      log.push('slow ends');
      return IRQ_HANDLED;
    };
    machine.runTask(function* () {
      yield* requestIrq(
        irq,
        handledAfter(() => log.push(`other, irqs off ${irqsDisabled()}`)),
        0,
        'other',
      );
      yield* requestIrq(other, slow, 0, 'slow');
      disableIrqNosync(irq);
      disableIrqNosync(other);
    });
    pulse(3);
    pulse(4);
    taken();
    machine.runTask(() => {
      enableIrq(irq);
      enableIrq(other);
    });
    machine.advance(1_000_000);
    expect(taken()).toEqual(['unmask', 'unmask', 'ack', 'slow ends', 'ack', 'other, irqs off true']);
    expect(machine.bootCpu.irqsEnabled).toBe(true);
  });

  it('goes with its line: one that is shut down is taken from the list', () => {
    const { machine, irq, pulse, taken, desc } = softwareLines([3]);
    machine.runTask(() => disableIrqNosync(irq));
    pulse();
    machine.runTask(function* () {
      enableIrq(irq);
      // Before ksoftirqd has run.
      yield* freeIrq(irq);
    });
    machine.advance(1_000_000);
    expect(taken()).toEqual(['mask', 'ack', 'unmask', 'mask']);
    expect(desc.resendQueued).toBe(false);
  });

  it('is not sent twice while it is on its way', () => {
    const { machine, irq, taken, desc } = softwareLines([3]);
    machine.runTask(() => {
      irqInjectInterrupt(irq);
      expect(thrownBy(() => irqInjectInterrupt(irq))).toMatchObject({ code: 'EBUSY' });
      expect([desc.replay, desc.resendQueued]).toEqual([true, true]);
    });
    machine.advance(1_000_000);
    expect(taken()).toEqual(['ack', 'line 3 in softirq, irqs off']);
  });
});

describe('an injected interrupt', () => {
  it('comes from the hardware where that can raise it', () => {
    const { machine, irq, taken, requestPrimary } = fakeLines();
    requestPrimary();
    taken();
    machine.runTask(() => irqInjectInterrupt(irq));
    expect(taken()).toEqual(['retrigger', 'ack', 'primary']);
  });

  it('is set pending in a controller that has such a bit, and resent where that refuses', () => {
    let refuses = false;
    const lines = fakeLines({
      chip: {
        setIrqchipState: (_desc, which, value) => {
          lines.log.push(`state ${which} ${value}`);
          if (refuses) lines.machine.irqs.get(999);
        },
      },
    });
    const { machine, irq, taken, requestPrimary } = lines;
    requestPrimary();
    taken();
    machine.runTask(() => irqInjectInterrupt(irq));
    expect(taken()).toEqual(['state 0 true']);
    refuses = true;
    machine.runTask(() => irqInjectInterrupt(irq));
    expect(taken()).toEqual(['state 0 true', 'retrigger', 'ack', 'primary']);
  });

  it.each([
    ['nobody has requested', (_irq: number) => {}],
    ['is a level', (irq: number) => irqSetStatusFlags(irq, IRQ_LEVEL)],
  ])('is refused on a line that %s: EINVAL', (what, change) => {
    const { machine, irq, taken } = what === 'is a level' ? softwareLines([3]) : fakeLines({ full: false });
    machine.runTask(() => {
      change(irq);
      expect(thrownBy(() => irqInjectInterrupt(irq))).toMatchObject({ code: 'EINVAL' });
    });
    expect(taken()).toEqual([]);
  });

  it('is refused where it must be handled in hard interrupt context, and cannot be raised', () => {
    const { machine, irq, desc, taken } = softwareLines([3]);
    desc.enforceIrqctx = true;
    machine.runTask(() => expect(thrownBy(() => irqInjectInterrupt(irq))).toMatchObject({ code: 'EINVAL' }));
    expect(taken()).toEqual([]);
  });
});

describe('a nested line that was disabled', () => {
  it('has its parent look again when it is enabled', () => {
    const { machine, irq: parent, domain, log, pulse, taken } = fakeLines({ full: false });
    const child = domain.createMapping(5);
    const parentThread = function* () {
      log.push('parent');
      yield* handleNestedIrq(child);
      return IRQ_HANDLED;
    };
    machine.runTask(function* () {
      irqSetStatusFlags(child, IRQ_NESTED_THREAD);
      irqSetParent(child, parent);
      yield* requestThreadedIrq(parent, null, parentThread, IRQF_ONESHOT, 'parent');
      yield* requestThreadedIrq(
        child,
        null,
        handledAfter(() => log.push('child')),
        0,
        'child',
      );
      disableIrqNosync(child);
    });
    taken();
    pulse();
    machine.advance(1_000_000);
    expect([taken(), machine.irqs.get(child).pending]).toEqual([['ack', 'parent'], true]);
    machine.runTask(() => enableIrq(child));
    machine.advance(1_000_000);
    expect(taken()).toEqual(['ack', 'parent', 'child']);
  });
});
