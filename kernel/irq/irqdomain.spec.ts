import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DONE, type Outcome } from '../sched/coroutine.js';
import { udelay } from '../time/delay.js';
import { fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED } from './flags.js';
import type { IrqDesc } from './irqdesc.js';
import { freeIrq } from './manage.js';
import { requestIrq } from './request.js';

describe('an interrupt domain', () => {
  it('gives each hardware line one number, the lowest that is free', () => {
    const { domain, irq, machine } = fakeLines();
    const five = domain.createMapping(5);
    expect([domain.createMapping(3), domain.createMapping(5), five]).toEqual([irq, five, irq + 1]);
    expect([domain.findMapping(5), domain.findMapping(6)]).toEqual([five, 0]);
    expect([domain.descOf(5)?.hwirq, domain.descOf(6)]).toEqual([5, undefined]);
    domain.disposeMapping(3);
    expect([domain.findMapping(3), machine.irqs.find(irq)]).toEqual([0, undefined]);
    expect(domain.createMapping(7)).toBe(irq);
    domain.disposeMapping(2);
  });

  it.each([[-1], [8], [1.5], [Number.NaN]])('has no line %d', (hwirq) => {
    expect(() => fakeLines().domain.createMapping(hwirq)).toThrow(`fake has no line ${hwirq}: 0 to 7`);
  });

  it('keeps a mapping that is in use, and masks the line of one that goes', () => {
    const { domain, machine, irq, taken } = fakeLines();
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => {}),
        0,
        'user',
      ),
    );
    expect(() => domain.disposeMapping(3)).toThrow(/still has an action/);
    machine.runTask(() => freeIrq(irq));
    const chained = domain.setChainedHandler(4, () => 0, 'bank');
    taken();
    domain.disposeMapping(4);
    expect([taken(), machine.irqs.find(chained.irq)]).toEqual([['mask_ack'], undefined]);
  });

  it('runs out of numbers with ENOSPC', () => {
    const { machine } = fakeLines();
    expect(() => {
      for (let i = 0; i < 1000; i++) machine.irqs.alloc(undefined, i);
    }).toThrow(/all 512 interrupt numbers are taken/);
  });

  it('lets a chained handler own a line, unmasked at once and never counted', () => {
    const { domain, log, pulse } = fakeLines();
    const handler = ({ hwirq }: IrqDesc): Outcome => {
      log.push(`chained ${hwirq}`);
      return DONE;
    };
    const desc = domain.setChainedHandler(4, handler, 'bank');
    pulse(4);
    expect([log, desc.depth, desc.total]).toEqual([['unmask', 'chained 4'], 0, 0]);
  });

  it('refuses a chained handler where an action is', () => {
    const { domain, machine, irq } = fakeLines();
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => {}),
        0,
        'user',
      ),
    );
    expect(() => domain.setChainedHandler(3, () => 0, 'bank')).toThrow(/has an action/);
  });

  it('ignores a line that nobody mapped', () => {
    const { pulse, log, machine } = fakeLines();
    pulse(6);
    expect([log, machine.bootCpu.interrupts]).toEqual([[], 1]);
  });

  it('handles each line that is named, in order, also behind handlers that give the CPU back', () => {
    const lines = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 20 });
    fc.assert(
      fc.property(lines, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (named, slow) => {
        const { domain, machine, log, taken } = fakeLines();
        for (let hwirq = 0; hwirq < 8; hwirq++) {
          const plain = handledAfter(() => log.push(`line ${hwirq}`));
          const generator = function* () {
            yield* udelay(3);
            log.push(`line ${hwirq}`);
            return IRQ_HANDLED;
          };
          machine.runTask(() => requestIrq(domain.createMapping(hwirq), slow[hwirq] ? generator : plain, 0, 'h'));
        }
        taken();
        let at = 0;
        let after = 0;
        const count = (): Outcome => {
          after++;
          return DONE;
        };
        const next = (): number => named[at++] ?? -1;
        machine.bootCpu.callFunction(() => {
          const outcome = domain.handleEach(next);
          if (outcome === DONE) count();
          else machine.bootCpu.defer(count);
          return outcome;
        });
        machine.advance(1_000_000);
        expect(taken().filter((entry) => entry !== 'ack')).toEqual(named.map((hwirq) => `line ${hwirq}`));
        expect([after, at]).toEqual([1, named.length + 1]);
      }),
    );
  });
});
