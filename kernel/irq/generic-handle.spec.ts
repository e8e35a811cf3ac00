import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { irqsDisabled } from '../sched/current.js';
import { udelay } from '../time/delay.js';
import { fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, type IrqReturn } from './flags.js';
import {
  genericHandleDomainIrq,
  genericHandleDomainIrqSafe,
  genericHandleIrq,
  genericHandleIrqSafe,
} from './generic-handle.js';
import type { IrqHandler } from './irqdesc.js';
import { requestIrq } from './request.js';

/** Line 3, which a handler decodes, and line 4 behind it, whose handler takes 10 µs if it is `slow`. */
function decoded(decode: IrqHandler, slow: boolean) {
  const lines = fakeLines();
  const { machine, irq, domain, log } = lines;
  const behind = domain.createMapping(4);
  const handler: IrqHandler = slow
    ? function* () {
        log.push(`behind begins, irqs off ${irqsDisabled()}`);
        yield* udelay(10);
        log.push('behind ends');
        return IRQ_HANDLED;
      }
    : handledAfter(() => log.push(`behind, irqs off ${irqsDisabled()}`));
  machine.runTask(function* () {
    yield* requestIrq(irq, decode, 0, 'decoder');
    yield* requestIrq(behind, handler, 0, 'behind');
  });
  lines.taken();
  return { ...lines, behind };
}

describe('an interrupt that a handler hands on', () => {
  it('is handled there and then', () => {
    const lines = decoded(() => {
      genericHandleDomainIrq(lines.domain, 4);
      lines.log.push('decoder');
      return IRQ_HANDLED;
    }, false);
    lines.pulse();
    expect(lines.taken()).toEqual(['ack', 'ack', 'behind, irqs off true', 'decoder']);
  });

  it('is waited for by the line that it came through, when its handler takes time', () => {
    const lines = decoded(() => {
      genericHandleIrq(lines.behind);
      return IRQ_HANDLED;
    }, true);
    const { machine, pulse, taken, desc } = lines;
    pulse();
    expect([taken(), desc.inProgress]).toEqual([['ack', 'ack', 'behind begins, irqs off true'], true]);
    machine.advance(1_000_000);
    expect([taken(), desc.inProgress, machine.bootCpu.irqsEnabled]).toEqual([['behind ends'], false, true]);
    pulse();
    machine.advance(1_000_000);
    expect(taken().length).toBe(4);
  });

  it('is waited for by others that are handed on with it, whatever the handler itself is', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), fc.boolean(), (slow, decoderSlow) => {
        const { machine, domain, log, pulse, desc, irq } = fakeLines();
        const handlerOf = (line: number): IrqHandler =>
          slow[line - 4] === true
            ? function* () {
                yield* udelay(10);
                log.push(`line ${line}`);
                return IRQ_HANDLED;
              }
            : handledAfter(() => log.push(`line ${line}`));
        const lines = slow.map((_, i) => i + 4);
        const rest = function* (): Generator<number, IrqReturn> {
          yield* udelay(10);
          log.push('decoder');
          return IRQ_HANDLED;
        };
        const decode: IrqHandler = () => {
          for (const line of lines) genericHandleDomainIrq(domain, line);
          return decoderSlow ? rest() : IRQ_HANDLED;
        };
        machine.runTask(function* () {
          yield* requestIrq(irq, decode, 0, 'decoder');
          for (const line of lines) yield* requestIrq(domain.createMapping(line), handlerOf(line), 0, `${line}`);
        });
        pulse();
        machine.advance(1_000_000);
        pulse();
        machine.advance(1_000_000);
        const ran = log.filter((entry) => /^(line|decoder)/.test(entry));
        expect([...ran].sort()).toEqual(
          [...lines, ...lines]
            .map((line) => `line ${line}`)
            .concat(decoderSlow ? ['decoder', 'decoder'] : [])
            .sort(),
        );
        expect([desc.inProgress, machine.bootCpu.irqsEnabled, machine.bootCpu.preemptCount]).toEqual([false, true, 1]);
      }),
    );
  });

  it('is waited for by a generator, which goes on behind it', () => {
    const lines = decoded(function* () {
      lines.log.push('decoder begins');
      yield* genericHandleIrqSafe(lines.behind);
      lines.log.push('decoder ends');
      return IRQ_HANDLED;
    }, true);
    lines.pulse();
    lines.machine.advance(1_000_000);
    const behind = ['ack', 'behind begins, irqs off true', 'behind ends'];
    expect(lines.taken()).toEqual(['ack', 'decoder begins', ...behind, 'decoder ends']);
  });

  it('can be handed on by a task, with interrupts off meanwhile', () => {
    const lines = decoded(() => IRQ_HANDLED, true);
    const { machine, domain, log, taken } = lines;
    machine.runTask(function* () {
      yield* genericHandleDomainIrqSafe(domain, 4);
      log.push(`task, irqs off ${irqsDisabled()}`);
    });
    expect(taken()).toEqual(['ack', 'behind begins, irqs off true', 'behind ends', 'task, irqs off false']);
  });
});

describe('handing on', () => {
  it('is refused for an unknown interrupt, and for a line without a number: EINVAL', () => {
    const { machine, domain } = fakeLines();
    machine.runTask(() => {
      expect(thrownBy(() => genericHandleIrq(99))).toMatchObject({ code: 'EINVAL' });
      expect(thrownBy(() => genericHandleDomainIrq(domain, 7))).toMatchObject({ code: 'EINVAL' });
    });
  });

  it('is refused, with one warning, where a line insists on hard interrupt context: EPERM', () => {
    const { machine, irq, desc, printed, pulse, log, requestPrimary } = fakeLines();
    desc.enforceIrqctx = true;
    requestPrimary();
    for (let n = 0; n < 2; n++) {
      const call = (): void => machine.runTask(() => genericHandleIrqSafe(irq));
      expect(thrownBy(call)).toMatchObject({ code: 'EPERM' });
    }
    expect(printed).toEqual(['warning:  (handle_irq_desc)']);
    pulse();
    expect(log.at(-1)).toBe('primary');
  });
});
