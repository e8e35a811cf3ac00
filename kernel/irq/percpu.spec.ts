import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { PerCpu } from '../lib/percpu.js';
import { fakeLines, thrownBy } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQF_PERCPU, IRQF_SHARED, IRQF_TIMER, type IrqReturn } from './flags.js';
import { handlePercpuDevidIrq } from './flow.js';
import type { IrqChip, IrqHandler } from './irqdesc.js';
import { irqSetPercpuDevid } from './line-setup.js';
import { disablePercpuIrq, enablePercpuIrq, freePercpuIrq, irqPercpuIsEnabled, requestPercpuIrq } from './percpu.js';

const handled: IrqHandler = () => IRQ_HANDLED;

/** A line that each of two CPUs has for itself, with a variable that names the CPU. */
function percpuLine(chip: Partial<IrqChip> = {}) {
  const lines = fakeLines({ cpus: 2, chip });
  const { machine, irq, desc } = lines;
  desc.handleIrq = handlePercpuDevidIrq;
  machine.runTask(() => irqSetPercpuDevid(irq));
  const dev = new PerCpu((cpu) => `cpu${cpu}`);
  const request = (handler: IrqHandler = handled): void => {
    machine.runTask(() => requestPercpuIrq(irq, handler, 'timer', dev));
    lines.taken();
  };
  const on = (cpu: number, fn: () => void): void => {
    machine.spawn('on', fn, { cpusAllowed: 1 << cpu });
  };
  const enabledOn = (cpu: number): boolean => {
    let enabled = false;
    on(cpu, () => {
      enabled = irqPercpuIsEnabled(irq);
    });
    return enabled;
  };
  return { ...lines, dev, request, on, enabledOn };
}

function errnoOf(fn: () => unknown): number {
  const error = thrownBy(fn);
  return error instanceof KernelError ? error.errno : 0;
}

describe('an interrupt that each CPU has for itself', () => {
  it('is requested on no CPU, and enabled and disabled on each', () => {
    const { irq, request, on, enabledOn, taken, desc } = percpuLine();
    request();
    const enabled = (): boolean[] => [0, 1].map(enabledOn);
    expect([enabled(), desc.depth]).toEqual([[false, false], 1]);
    on(1, () => enablePercpuIrq(irq));
    expect([enabled(), taken()]).toEqual([[false, true], ['unmask']]);
    on(1, () => disablePercpuIrq(irq));
    expect([enabled(), taken()]).toEqual([[false, false], ['mask']]);
  });

  it('hands its handler the data of the CPU that it runs on, and counts there', () => {
    const { irq, request, on, pulse, desc } = percpuLine();
    const seen: unknown[] = [];
    request((_irq, data): IrqReturn => {
      seen.push(data);
      return IRQ_HANDLED;
    });
    for (const cpu of [0, 1]) on(cpu, () => enablePercpuIrq(irq));
    for (const cpu of [1, 0, 1]) pulse(3, cpu);
    expect([seen, [...desc.counts]]).toEqual([
      ['cpu1', 'cpu0', 'cpu1'],
      [1, 2],
    ]);
  });

  it('has its trigger type set where it is enabled, and stays off if the chip refuses', () => {
    const types: number[] = [];
    const setType = (_desc: unknown, type: number): void => {
      types.push(type);
      if (type === 8) throw new KernelError('EINVAL', 'no');
    };
    const { irq, request, on, enabledOn, printed } = percpuLine({ setType });
    request();
    on(0, () => enablePercpuIrq(irq, 4));
    on(1, () => enablePercpuIrq(irq));
    expect(types).toEqual([4, 4]);
    on(0, () => disablePercpuIrq(irq));
    on(0, () => enablePercpuIrq(irq, 8));
    expect([enabledOn(0), printed.at(-1)]).toEqual([
      false,
      `warning: failed to set type for IRQ${irq} (enable_percpu_irq)`,
    ]);
  });

  it('is freed by its owner, when it is disabled everywhere', () => {
    const { machine, irq, dev, request, on, printed, desc } = percpuLine();
    request();
    on(1, () => enablePercpuIrq(irq));
    machine.runTask(() => freePercpuIrq(irq, dev));
    machine.runTask(() => freePercpuIrq(irq, new PerCpu(() => 0)));
    expect([printed, desc.actions.length]).toEqual([
      [
        `warning: percpu IRQ ${irq} still enabled on CPU1! (__free_percpu_irq)`,
        `warning: Trying to free already-free IRQ ${irq} (__free_percpu_irq)`,
      ],
      1,
    ]);
    on(1, () => disablePercpuIrq(irq));
    machine.runTask(() => freePercpuIrq(irq, dev));
    expect(desc.actions.length).toBe(0);
    request();
    expect(desc.actions.length).toBe(1);
  });

  it('can be requested again and again, without a word', () => {
    const { machine, irq, dev, request, printed } = percpuLine();
    for (let n = 0; n < 3; n++) {
      request();
      machine.runTask(() => freePercpuIrq(irq, dev));
    }
    expect(printed).toEqual([]);
  });

  it('is refused without data of each CPU, and without a handler', () => {
    const { machine, irq, dev } = percpuLine();
    const ask = (handler: unknown, data: unknown): number =>
      errnoOf(() =>
        machine.runTask(() => requestPercpuIrq(irq, handler as IrqHandler, 'timer', data as PerCpu<unknown>)),
      );
    expect([ask(handled, undefined), ask(handled, {}), ask(null, dev)]).toEqual([-22, -22, -22]);
  });

  it("is requested once, by percpu calls only, and with no flag but the timer's", () => {
    const { machine, irq, dev, domain } = percpuLine();
    const ask = (which: number, flags = 0): number =>
      errnoOf(() => machine.runTask(() => requestPercpuIrq(which, handled, 'timer', dev, flags)));
    expect([ask(domain.createMapping(5)), ask(99), ask(irq, IRQF_SHARED), ask(irq, IRQF_PERCPU)]).toEqual([
      -22, -22, -22, -22,
    ]);
    expect([ask(irq, IRQF_TIMER), ask(irq)]).toEqual([0, -16]);
  });

  it('leaves lines alone that all CPUs share', () => {
    const { machine, irq } = fakeLines();
    const calls = [enablePercpuIrq, disablePercpuIrq, irqPercpuIsEnabled];
    for (const call of calls) expect(errnoOf(() => machine.runTask(() => call(irq)))).toBe(-22);
  });
});
