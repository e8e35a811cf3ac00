import { describe, expect, it } from 'vitest';
import { context, current } from '../sched/current.js';
import { msleep } from '../time/delay.js';
import { fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_NONE, IRQF_ONESHOT, IRQF_SHARED, type IrqReturn } from './flags.js';
import type { IrqThreadFn } from './irqdesc.js';
import { disableIrqNosync, enableIrq, freeIrq, irqSetParent } from './manage.js';
import { handleNestedIrq, irqSetNestedThread } from './nested.js';
import { requestThreadedIrq } from './request.js';
import { synchronizeIrq } from './synchronize.js';

/** Line 3, whose thread handles lines 4 and 5. */
function nestedLines() {
  const lines = fakeLines();
  const { machine, irq, domain, log } = lines;
  const children = [domain.createMapping(4), domain.createMapping(5)] as const;
  const parent: IrqThreadFn = function* () {
    log.push('parent begins');
    for (const child of children) yield* handleNestedIrq(child);
    log.push('parent ends');
    return IRQ_HANDLED;
  };
  machine.runTask(function* () {
    for (const child of children) irqSetNestedThread(child, true);
    yield* requestThreadedIrq(irq, null, parent, IRQF_ONESHOT, 'chip');
  });
  const request = (child: number, fn: IrqThreadFn, name: string): void =>
    machine.runTask(() => requestThreadedIrq(child, null, fn, IRQF_SHARED, name, name));
  return { ...lines, children, request };
}

describe('a nested interrupt', () => {
  it('is handled in the thread of its parent, where its handlers may sleep, one after the other', () => {
    const { machine, irq, children, request, log, pulse, taken } = nestedLines();
    const sleeping = (name: string) =>
      function* (): Generator<number, IrqReturn> {
        log.push(`${name} in ${context()} ${current().comm}`);
        yield* msleep(5);
        log.push(`${name} ends`);
        return IRQ_HANDLED;
      };
    request(children[0], sleeping('a'), 'a');
    request(children[0], sleeping('b'), 'b');
    request(children[1], sleeping('c'), 'c');
    taken();
    pulse();
    machine.advance(100_000_000);
    const where = `in task irq/${irq}-chip`;
    expect(taken().filter((entry) => entry !== 'ack')).toEqual([
      'parent begins',
      `a ${where}`,
      'a ends',
      `b ${where}`,
      'b ends',
      `c ${where}`,
      'c ends',
      'parent ends',
    ]);
    expect(children.map((child) => machine.irqs.get(child).total)).toEqual([1, 1]);
  });

  it('is kept while its line is disabled, or has no action, and further ones are merged into it', () => {
    const { machine, children, request, log, pulse, taken } = nestedLines();
    request(
      children[0],
      handledAfter(() => log.push('a')),
      'a',
    );
    machine.runTask(() => disableIrqNosync(children[0]));
    taken();
    for (let n = 0; n < 3; n++) {
      pulse();
      machine.advance(1_000_000);
    }
    expect(taken()).not.toContain('a');
    for (const child of children) {
      const { pending, coalesced, total } = machine.irqs.get(child);
      expect([pending, coalesced, total]).toEqual([true, 2, 0]);
    }
  });

  it('that was kept has its parent come again, each time', () => {
    const { machine, irq, domain, pulse } = fakeLines({ full: false });
    const child = domain.createMapping(4);
    let handled = 0;
    const parent: IrqThreadFn = function* () {
      yield* handleNestedIrq(child);
      return IRQ_HANDLED;
    };
    machine.runTask(function* () {
      irqSetNestedThread(child, true);
      irqSetParent(child, irq);
      yield* requestThreadedIrq(irq, null, parent, IRQF_ONESHOT, 'chip');
      const fn = handledAfter(() => handled++);
      yield* requestThreadedIrq(child, null, fn, 0, 'child');
    });
    for (const times of [1, 2, 3]) {
      machine.runTask(() => disableIrqNosync(child));
      pulse();
      machine.advance(1_000_000);
      machine.runTask(() => enableIrq(child));
      machine.advance(1_000_000);
      expect(handled).toBe(times);
    }
  });

  it('is waited for by synchronize_irq', () => {
    const { machine, children, request, log, pulse, taken } = nestedLines();
    const slow = function* (): Generator<number, IrqReturn> {
      yield* msleep(5);
      log.push('handled');
      return IRQ_HANDLED;
    };
    request(children[0], slow, 'a');
    taken();
    pulse();
    machine.runTask(() => synchronizeIrq(children[0]));
    log.push('synchronized');
    expect(taken().filter((entry) => /handled|synchronized/.test(entry))).toEqual(['handled', 'synchronized']);
    expect(machine.irqs.get(children[0]).threadsActive).toBe(0);
  });

  it('does not call the function of an action that was freed meanwhile', () => {
    const { machine, children, request, log, pulse, taken } = nestedLines();
    const slow = function* (): Generator<number, IrqReturn> {
      yield* msleep(5);
      log.push('a');
      return IRQ_HANDLED;
    };
    request(children[0], slow, 'a');
    request(
      children[0],
      handledAfter(() => log.push('b')),
      'b',
    );
    pulse();
    machine.runTask(() => freeIrq(children[0], 'b'));
    expect(taken().filter((entry) => /^[ab]$/.test(entry))).toEqual(['a']);
  });

  it('whose handler throws is reported, and the others are handled', () => {
    const { machine, children, request, log, pulse, printed, taken } = nestedLines();
    const broken: IrqThreadFn = () => {
      throw new Error('out of luck');
    };
    request(children[0], broken, 'a');
    request(
      children[0],
      handledAfter(() => log.push('b')),
      'b',
    );
    taken();
    pulse();
    machine.advance(1_000_000);
    expect(taken()).toContain('b');
    expect(printed[0]).toMatch(/^alert: Oops: exception in thread function a of irq \d+\nError: out of luck/);
    expect(machine.irqs.get(children[0]).threadsActive).toBe(0);
  });

  it('that nobody wants counts as unhandled', () => {
    const { machine, children, request, pulse } = nestedLines();
    request(children[0], () => IRQ_NONE, 'a');
    pulse();
    machine.advance(1_000_000);
    expect(machine.irqs.get(children[0]).irqsUnhandled).toBe(1);
  });
});
