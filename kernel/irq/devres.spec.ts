import { describe, expect, it } from 'vitest';
import { Device } from '../base/device.js';
import { devmAddAction, devresReleaseAll } from '../base/devres.js';
import { devmFreeIrq, devmRequestAnyContextIrq, devmRequestIrq, devmRequestThreadedIrq } from './devres.js';
import { fakeLines, handledAfter, thrownBy } from './fake-line.spec-helper.js';
import { IRQC_IS_HARDIRQ, IRQF_ONESHOT, IRQF_SHARED } from './flags.js';
import { freeIrq } from './manage.js';

const handler = handledAfter(() => {});

function managed() {
  const lines = fakeLines();
  const { machine, irq, desc } = lines;
  const dev = new Device('odevm.0', 'platform', machine);
  const names = (): string[] => desc.actions.map(({ name }) => name);
  return { ...lines, machine, dev, irq, names };
}

describe('a managed interrupt', () => {
  it('is freed with the device, the last request first', () => {
    const { machine, dev, irq, names } = managed();
    const seen: string[][] = [];
    machine.runTask(function* () {
      yield* devmRequestIrq(dev, irq, handler, IRQF_SHARED, 'first', 1);
      yield* devmRequestIrq(dev, irq, handler, IRQF_SHARED, 'second', 2);
      devmAddAction(dev, () => seen.push(names()), undefined);
      yield* devmRequestIrq(dev, irq, handler, IRQF_SHARED, 'third', 3);
    });
    expect(names()).toEqual(['first', 'second', 'third']);
    machine.runTask(() => devresReleaseAll(dev));
    expect(seen).toEqual([['first', 'second']]);
    expect(names()).toEqual([]);
  });

  it("has the device's name when it is given none", () => {
    const { machine, dev, irq, names } = managed();
    machine.runTask(() => devmRequestThreadedIrq(dev, irq, null, handler, IRQF_ONESHOT, null));
    expect(names()).toEqual(['odevm.0']);
    machine.runTask(() => devresReleaseAll(dev));
    expect(names()).toEqual([]);
  });

  it('is not managed when the request is refused', () => {
    const { machine, dev, irq } = managed();
    machine.runTask(() => devmRequestIrq(dev, irq, handler, 0, 'first'));
    expect(thrownBy(() => machine.runTask(() => devmRequestIrq(dev, irq, handler, 0, 'second')))).toMatchObject({
      code: 'EBUSY',
    });
    expect(dev.devres).toHaveLength(1);
  });

  it('can be asked for in any context', () => {
    const { machine, dev, irq, names } = managed();
    const kind = machine.runTask(() => devmRequestAnyContextIrq(dev, irq, handler, 0, null));
    expect(kind).toBe(IRQC_IS_HARDIRQ);
    machine.runTask(() => devresReleaseAll(dev));
    expect(names()).toEqual([]);
  });

  it('can be freed before its time, and is not freed again', () => {
    const { machine, dev, irq, names, printed } = managed();
    machine.runTask(() => devmRequestIrq(dev, irq, handler, 0, 'once', null));
    machine.runTask(() => devmFreeIrq(dev, irq));
    expect(names()).toEqual([]);
    machine.runTask(() => devresReleaseAll(dev));
    expect(printed).toEqual([]);
  });

  it('that is unknown is warned of, twice when it is on no line either', () => {
    const { machine, dev, irq, printed } = managed();
    machine.runTask(() => devmFreeIrq(dev, irq, 'nobody'));
    expect(printed).toEqual([
      'warning:  (devm_free_irq)',
      `warning: Trying to free already-free IRQ ${irq} (free_irq)`,
    ]);
  });

  it('that its driver has freed the plain way is warned of when the device goes', () => {
    const { machine, dev, irq, printed } = managed();
    machine.runTask(() => devmRequestIrq(dev, irq, handler, 0, 'once', 1));
    machine.runTask(() => freeIrq(irq, 1));
    machine.runTask(() => devresReleaseAll(dev));
    expect(printed).toEqual([`warning: Trying to free already-free IRQ ${irq} (free_irq)`]);
  });
});
