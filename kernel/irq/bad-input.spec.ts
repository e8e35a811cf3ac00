// What plain JavaScript may hand in where the types ask for something else.
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { PerCpu } from '../lib/percpu.js';
import { irqForceAffinity, irqSetAffinity, irqUpdateAffinityHint } from './affinity.js';
import { irqSetAffinityNotifier } from './affinity-notify.js';
import { fakeLines, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED } from './flags.js';
import { irqSetChainedHandler, irqSetChip, irqSetHandler, irqSetIrqType, irqSetPercpuDevid } from './line-setup.js';
import { disableIrq, enableIrq, freeIrq } from './manage.js';
import { requestPercpuIrq } from './percpu.js';
import { requestAnyContextIrq, requestIrq, requestThreadedIrq } from './request.js';
import { irqSetStormGuard } from './storm.js';
import { synchronizeIrq } from './synchronize.js';

type Call = (irq: number, bad: never) => unknown;

const handler = (): typeof IRQ_HANDLED => IRQ_HANDLED;

const CALLS: readonly [string, Call, readonly unknown[]][] = [
  ['irq of enable_irq', (_, bad) => enableIrq(bad), [undefined, null, 1.5, 'x', {}, -1, Number.NaN]],
  ['irq of disable_irq', (_, bad) => disableIrq(bad), [undefined, 99]],
  ['irq of synchronize_irq', (_, bad) => synchronizeIrq(bad), [undefined, 99]],
  ['irq of free_irq', (_, bad) => freeIrq(bad), [undefined, 99]],
  ['irq of a request', (_, bad) => requestIrq(bad, handler, 0, 'demo'), [undefined, null, 1.5, -1]],
  ['flags', (irq, bad) => requestIrq(irq, handler, bad, 'demo'), [undefined, null, 'x', Number.NaN, 1.5]],
  ['flags of a threaded request', (irq, bad) => requestThreadedIrq(irq, handler, null, bad, 'demo'), [undefined]],
  ['name', (irq, bad) => requestIrq(irq, handler, 0, bad), [undefined, null, 5]],
  ['name in any context', (irq, bad) => requestAnyContextIrq(irq, handler, 0, bad), [undefined]],
  ['type', (irq, bad) => irqSetIrqType(irq, bad), [undefined, 'x', {}, 0.5]],
  ['flow handler', (irq, bad) => irqSetHandler(irq, bad), [undefined, 'x', {}, 5]],
  ['chained handler', (irq, bad) => irqSetChainedHandler(irq, bad), [undefined, 'x']],
  ['chip', (irq, bad) => irqSetChip(irq, bad), [undefined, 'x', {}, 5]],
  ['affinity', (irq, bad) => irqSetAffinity(irq, bad), [undefined, null, 'x', {}, Number.NaN]],
  ['forced affinity', (irq, bad) => irqForceAffinity(irq, bad), [undefined, 'x']],
  ['hint', (irq, bad) => irqUpdateAffinityHint(irq, bad), [undefined, 'x']],
  ['notifier', (irq, bad) => irqSetAffinityNotifier(irq, bad), [undefined, 'x', {}]],
  ['storm limits', (irq, bad) => irqSetStormGuard(irq, bad), [undefined, 5, 'x']],
];

describe('a bad', () => {
  it.each(CALLS)('%s is refused with EINVAL and what to do, and the line works on', (_, call, values) => {
    for (const value of values) {
      const { machine, irq, desc, printed } = fakeLines({ chip: { setAffinity: (__, mask) => mask } });
      const error = thrownBy(() => machine.runTask(() => call(irq, value as never) as Generator<never, void>));
      expect(error).toBeInstanceOf(KernelError);
      expect(error).toMatchObject({ code: 'EINVAL', hint: expect.stringMatching(/./) });
      expect([desc.actions.length, desc.depth, printed]).toEqual([0, 1, []]);
      machine.runTask(() => requestIrq(irq, handler, 0, 'demo'));
    }
  });

  it('name of an interrupt of each CPU is refused too', () => {
    const { machine, irq, desc } = fakeLines();
    machine.runTask(() => irqSetPercpuDevid(irq));
    const request = (name: unknown): unknown =>
      thrownBy(() => machine.runTask(() => requestPercpuIrq(irq, handler, name as string, new PerCpu(() => 0))));
    expect([request(undefined), desc.actions.length]).toEqual([expect.objectContaining({ code: 'EINVAL' }), 0]);
  });

  it('text for a file is refused', () => {
    const { machine } = fakeLines();
    const write = (text: unknown): unknown =>
      thrownBy(() => machine.runTask(() => machine.files.write('/proc/irq/default_smp_affinity', text as string)));
    for (const text of [undefined, null, 1, {}]) expect(write(text)).toMatchObject({ code: 'EINVAL' });
  });
});
