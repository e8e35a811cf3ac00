import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preemptPoint } from '../sched/core.js';
import { udelay } from '../time/delay.js';
import { type FakeLineOptions, fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQF_NO_AUTOEN, IRQF_TRIGGER_HIGH } from './flags.js';
import { disableIrq, disableIrqNosync, enableIrq, freeIrq } from './manage.js';
import { requestIrq } from './request.js';
import { synchronizeIrq } from './synchronize.js';

/** Lines with a handler on line 3 that logs `primary`. */
function requested(options: FakeLineOptions & { flags?: number } = {}) {
  const lines = fakeLines(options);
  const { machine, desc } = lines;
  lines.requestPrimary(options.flags);
  lines.taken();
  return {
    ...lines,
    state: () => [desc.depth, desc.disabled, desc.masked, desc.started],
    run: (fn: () => void) =>
      machine.runTask(function* () {
        fn();
        yield* preemptPoint();
      }),
  };
}

describe('the edge flow', () => {
  it('acknowledges first, then runs the handlers', () => {
    const { pulse, log, desc } = requested();
    pulse();
    expect([log, desc.total]).toEqual([['ack', 'primary'], 1]);
  });

  // As recorded from Linux 6.12 (08-in-progress-nested).
  it('keeps what comes while its handler runs, one deep, and replays it in the loop', () => {
    const { machine, domain, irq, log, desc, pulse } = fakeLines();
    let runs = 0;
    const handler = () => {
      runs++;
      log.push(`primary ${runs}`);
      if (runs === 1) {
        domain.handle(3);
        domain.handle(3);
        log.push('nest done');
      }
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, 0, 'd'));
    pulse();
    expect(log).toEqual(['unmask', 'ack', 'primary 1', 'mask_ack', 'mask_ack', 'nest done', 'unmask', 'primary 2']);
    expect([desc.total, desc.coalesced, desc.pending, desc.inProgress]).toEqual([1, 1, false, false]);
  });

  // As recorded from Linux 6.12 (08-in-progress-smp).
  it('has the CPU that is in the handler run it again for an edge that another CPU took', () => {
    const { machine, irq, at, pulse, taken } = fakeLines({ cpus: 2 });
    const handler = function* () {
      at('begin');
      yield* udelay(100);
      at('end');
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, 0, 'd'));
    taken();
    pulse(3, 0);
    machine.advance(50_000);
    pulse(3, 1);
    pulse(3, 1);
    machine.advance(1_000_000);
    expect(taken()).toEqual([
      'ack',
      '0 hardirq begin',
      'mask_ack',
      'blocked',
      '100 hardirq end',
      'unmask',
      '100 hardirq begin',
      '200 hardirq end',
    ]);
  });

  it('masks and acknowledges one after the other on a chip without mask_ack', () => {
    const { log, pulse, run, irq } = requested({ full: false });
    run(() => disableIrqNosync(irq));
    pulse();
    expect(log).toEqual(['mask', 'ack']);
  });
});

describe('disable and enable', () => {
  // As recorded from Linux 6.12 (12-disable-nesting).
  it('nest by depth; only the last enable unmasks and resends', () => {
    const { irq, desc, printed, pulse, state, run, taken, machine } = requested();
    run(() => disableIrqNosync(irq));
    expect([state(), taken()]).toEqual([[1, true, false, true], []]);
    run(() => disableIrqNosync(irq));
    expect(state()).toEqual([2, true, false, true]);
    pulse();
    expect(taken()).toEqual(['mask_ack']);
    run(() => enableIrq(irq));
    expect([state(), taken()]).toEqual([[1, true, true, true], []]);
    run(() => enableIrq(irq));
    expect([state(), taken()]).toEqual([
      [0, false, false, true],
      ['unmask', 'retrigger', 'ack', 'primary'],
    ]);
    run(() => enableIrq(irq));
    expect([state(), printed]).toEqual([
      [0, false, false, true],
      [`warning: Unbalanced enable for IRQ ${irq} (__enable_irq)`],
    ]);
    pulse();
    expect(taken()).toEqual(['ack', 'primary']);
    run(() => disableIrqNosync(irq));
    machine.runTask(() => freeIrq(irq));
    expect([state(), taken()]).toEqual([[1, true, true, false], ['mask']]);
    run(() => disableIrqNosync(irq));
    expect(state()).toEqual([2, true, true, false]);
    run(() => enableIrq(irq));
    expect(state()).toEqual([1, true, true, false]);
    run(() => enableIrq(irq));
    expect([state(), taken(), printed.length]).toEqual([[0, false, false, true], ['unmask'], 2]);
    expect(desc.pending).toBe(false);
  });

  it('resend by hand on a chip that cannot retrigger', () => {
    const { irq, pulse, run, log } = requested({ full: false });
    run(() => disableIrqNosync(irq));
    pulse();
    run(() => enableIrq(irq));
    expect(log).toEqual(['mask', 'ack', 'unmask', 'ack', 'primary']);
  });

  it('do not resend a declared level, which is still there if it matters', () => {
    const { irq, pulse, run, log, desc } = requested({ flags: IRQF_TRIGGER_HIGH });
    run(() => disableIrqNosync(irq));
    pulse();
    run(() => enableIrq(irq));
    expect([log, desc.pending]).toEqual([['mask_ack', 'unmask'], false]);
  });

  it('deliver an edge that was kept when its line was freed to who requests it next', () => {
    const { irq, pulse, run, machine, taken, log } = requested();
    run(() => disableIrqNosync(irq));
    pulse();
    machine.runTask(() => freeIrq(irq));
    taken();
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => log.push('next')),
        0,
        'next',
      ),
    );
    expect(taken()).toEqual(['unmask', 'retrigger', 'ack', 'next']);
  });

  // As recorded from Linux 6.12 (14-no-autoen).
  it('start a line up that was requested with NO_AUTOEN', () => {
    const { irq, pulse, run, state, taken } = requested({ flags: IRQF_NO_AUTOEN });
    expect(state()).toEqual([1, true, true, false]);
    run(() => enableIrq(irq));
    expect([state(), taken()]).toEqual([[0, false, false, true], ['unmask']]);
    pulse();
    expect(taken()).toEqual(['ack', 'primary']);
  });

  it('refuse an unknown interrupt with EINVAL', () => {
    const { run, machine } = requested();
    expect(() => run(() => disableIrqNosync(99))).toThrow(/irq 99: no such interrupt/);
    expect(() => run(() => enableIrq(99))).toThrow(/irq 99/);
    for (const call of [disableIrq, synchronizeIrq, freeIrq]) {
      expect(() => machine.runTask(() => call(99) as Generator<number>)).toThrow(/irq 99/);
    }
  });

  it('wait for the handler that runs on another CPU, unless they are told not to', () => {
    const { machine, irq, at, pulse, taken } = fakeLines({ cpus: 2 });
    const handler = function* () {
      yield* udelay(100);
      at('end');
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestIrq(irq, handler, 0, 'd'));
    taken();
    pulse();
    const body = function* () {
      disableIrqNosync(irq);
      at('disabled');
      yield* disableIrq(irq);
      at('nothing runs');
      enableIrq(irq);
      enableIrq(irq);
    };
    machine.spawn('waiter', body, { cpusAllowed: 2 });
    machine.advance(1_000_000);
    expect(taken()).toEqual(['ack', '0 waiter disabled', '100 hardirq end', '100 waiter nothing runs']);
  });

  it('lose no edge that comes while enabled, and keep one of those that come while disabled', () => {
    const step = fc.constantFrom('pulse', 'disable', 'enable');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, full) => {
        const { irq, pulse, run, log, desc } = requested({ full });
        let depth = 0;
        let kept = false;
        let expected = 0;
        for (const what of steps) {
          if (what === 'pulse') {
            if (depth === 0) expected++;
            else kept = true;
            pulse();
          } else if (what === 'disable') {
            depth++;
            run(() => disableIrqNosync(irq));
          } else {
            if (depth === 1 && kept) {
              kept = false;
              expected++;
            }
            depth = Math.max(0, depth - 1);
            run(() => enableIrq(irq));
          }
          expect(log.filter((entry) => entry === 'primary').length).toBe(expected);
          expect([desc.depth, desc.pending]).toEqual([depth, kept]);
        }
      }),
    );
  });
});
