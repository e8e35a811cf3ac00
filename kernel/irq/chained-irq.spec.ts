import { describe, expect, it } from 'vitest';
import { afterOutcome } from '../sched/atomic.js';
import { udelay } from '../time/delay.js';
import { chainedIrqEnter, chainedIrqExit } from './chained-irq.js';
import { fakeLines } from './fake-line.spec-helper.js';
import { IRQ_HANDLED } from './flags.js';
import { handleEdgeIrq } from './flow.js';
import type { IrqChip } from './irqdesc.js';
import { IrqDomain } from './irqdomain.js';
import { requestIrq } from './request.js';

/** A controller whose only line is chained to line 3, and what both chips are asked. */
function chained(options: Parameters<typeof fakeLines>[0] = {}) {
  const lines = fakeLines(options);
  const { machine, domain: parents, log } = lines;
  const chip: IrqChip = { name: 'behind', ack: () => log.push('ack behind'), mask: () => {}, unmask: () => {} };
  const behind = new IrqDomain(machine, { name: 'behind', size: 2, flow: handleEdgeIrq, chip });
  const slow = function* () {
    yield* udelay(10);
    log.push('handler ends');
    return IRQ_HANDLED;
  };
  const handlers = [() => IRQ_HANDLED, slow];
  for (const [line, handler] of handlers.entries()) {
    machine.runTask(() => requestIrq(behind.createMapping(line), handler, 0, `line ${line}`));
  }
  let pending: number[] = [];
  parents.setChainedHandler(
    3,
    (desc) => {
      chainedIrqEnter(desc);
      return afterOutcome(
        behind.handleEach(() => pending.shift() ?? -1),
        () => chainedIrqExit(desc),
      );
    },
    'behind',
  );
  lines.taken();
  const raise = (...which: number[]): void => {
    pending = which;
    lines.pulse();
    machine.advance(1_000_000);
  };
  return { ...lines, raise };
}

describe('a chained line', () => {
  it('is masked and acknowledged until the lines behind it are handled', () => {
    const { raise, taken } = chained();
    raise(0);
    expect(taken()).toEqual(['mask_ack', 'ack behind', 'unmask']);
  });

  it('waits for handlers that take time, one after the other', () => {
    const { raise, taken, machine } = chained({ full: false });
    raise(1, 0, 1);
    const slow = ['ack behind', 'handler ends'];
    expect(taken()).toEqual(['mask', 'ack', ...slow, 'ack behind', ...slow, 'unmask']);
    expect(machine.bootCpu.irqsEnabled).toBe(true);
  });

  it('is only ended on a chip that has an end of interrupt', () => {
    const { raise, taken } = chained({ eoi: true });
    raise(0, 1);
    expect(taken()).toEqual(['ack behind', 'ack behind', 'handler ends', 'eoi']);
  });
});
