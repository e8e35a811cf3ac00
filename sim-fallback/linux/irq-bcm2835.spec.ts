// The interrupt controller's driver: which of several pending interrupts is handled first, and which are nobody's.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { IRQ_HANDLED, type IrqHandler, Machine, requestIrq } from '../../kernel/index.js';
import { DONE } from '../../kernel/sched/coroutine.js';
import {
  ARMCTRL_BASE,
  ENABLE_IRQS_1,
  ENABLE_IRQS_2,
  FIQ_CONTROL,
  FIQ_ENABLE,
  GPU_IRQS,
  SHORTCUTS,
} from '../bcm2835/armctrl.js';
import { Bcm2835 } from '../bcm2835/soc.js';
import { ArmctrlIrqchip, gpuHwirq } from './irq-bcm2835.js';

/** A source of interrupts: one of the ARM's own, or of the GPU's. */
interface Source {
  readonly kind: 'arm' | 'gpu';
  readonly n: number;
}

const arm = (n: number): Source => ({ kind: 'arm', n });
const gpu = (n: number): Source => ({ kind: 'gpu', n });
const hwirqOf = ({ kind, n }: Source): number => (kind === 'arm' ? n : gpuHwirq(n));

/** The order in which `get_next_armctrl_hwirq` looks: own, shortcuts of both registers, register 1, register 2. */
function rank({ kind, n }: Source): number {
  if (kind === 'arm') return n;
  const shortcut = SHORTCUTS.indexOf(n);
  if (shortcut >= 0) return 100 + shortcut;
  return (n < 32 ? 200 : 400) + n;
}

class Rig {
  readonly log: string[] = [];
  readonly machine = new Machine({ printk: (level, text) => this.log.push(`${level}: ${text}`) });
  readonly soc = new Bcm2835({
    clock: this.machine.clock,
    warn: (message) => this.log.push(message),
    onIrq: (asserted) => this.machine.bootCpu.setIrqLine(asserted),
    onFiq: () => {},
  });
  readonly irqchip = new ArmctrlIrqchip(this.machine, this.soc);
  readonly handled: number[] = [];

  set({ kind, n }: Source, asserted: boolean): void {
    if (kind === 'arm') this.soc.armctrl.setArmIrq(n, asserted);
    else this.soc.armctrl.setGpuIrq(n, asserted);
  }

  /** A handler that lets its source go, and then does `more`. */
  handle(source: Source, more: () => void = () => {}): void {
    const name = `${source.kind} ${source.n}`;
    this.irqchip.domain.setChainedHandler(
      hwirqOf(source),
      ({ hwirq }) => {
        this.handled.push(hwirq);
        this.set(source, false);
        more();
        return DONE;
      },
      name,
    );
  }

  raise(...sources: Source[]): void {
    this.machine.batch(() => {
      for (const source of sources) this.set(source, true);
    });
  }
}

describe('ArmctrlIrqchip', () => {
  let rig: Rig;
  beforeEach(() => {
    rig = new Rig();
  });

  it('dispatches own interrupts first, then shortcuts before their registers', () => {
    const order = [arm(0), arm(3), gpu(7), gpu(19), gpu(53), gpu(62), gpu(1), gpu(8), gpu(49), gpu(52)];
    for (const source of order) rig.handle(source);
    rig.raise(...[...order].reverse());
    expect(rig.handled).toEqual(order.map(hwirqOf));
  });

  it('dispatches any set of pending interrupts once each, in the order in which Linux looks', () => {
    const sources = [
      ...Array.from({ length: 8 }, (_, n) => arm(n)),
      ...Array.from({ length: GPU_IRQS }, (_, n) => gpu(n)),
    ];
    fc.assert(
      fc.property(fc.subarray(sources, { minLength: 1 }), (pending) => {
        const fresh = new Rig();
        for (const source of sources) fresh.handle(source);
        fresh.raise(...pending);
        expect(fresh.handled).toEqual([...pending].sort((a, b) => rank(a) - rank(b)).map(hwirqOf));
        expect(fresh.machine.bootCpu.interrupts).toBe(1);
      }),
      { numRuns: 50 },
    );
  });

  it('looks again from the start after each handler, within the same interrupt', () => {
    rig.handle(gpu(49), () => rig.set(arm(2), true));
    rig.handle(gpu(50));
    rig.handle(arm(2));
    rig.raise(gpu(49), gpu(50));
    expect(rig.handled).toEqual([gpu(49), arm(2), gpu(50)].map(hwirqOf));
    expect(rig.machine.bootCpu.interrupts).toBe(1);
  });

  it('masks an interrupt that has a number and nobody who has requested it, and keeps it', () => {
    const irq = rig.irqchip.domain.createMapping(gpuHwirq(40));
    const desc = rig.machine.irqs.get(irq);
    desc.masked = false;
    rig.soc.write32(ARMCTRL_BASE + ENABLE_IRQS_2, 1 << 8);
    rig.raise(gpu(40));
    expect([rig.log, desc.pending, desc.total]).toEqual([[], true, 0]);
    expect(rig.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_2)).toBe(0);
  });

  it('masks a requested interrupt while its handler runs, and takes it again while its source asks for it', () => {
    const irq = rig.irqchip.domain.createMapping(gpuHwirq(40));
    const enabled: number[] = [];
    const handler: IrqHandler = () => {
      enabled.push(rig.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_2));
      if (enabled.length === 3) rig.set(gpu(40), false);
      return IRQ_HANDLED;
    };
    rig.machine.runTask(() => requestIrq(irq, handler, 0, 'gpu 40'));
    rig.raise(gpu(40));
    expect(enabled).toEqual([0, 0, 0]);
    expect(rig.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_2)).toBe(1 << 8);
  });

  it('disables what a bootloader has left enabled, FIQ included, and says so', () => {
    const { log, machine, soc } = new Rig();
    soc.write32(ARMCTRL_BASE + ENABLE_IRQS_1, 0b110_1000);
    soc.write32(ARMCTRL_BASE + ENABLE_IRQS_2, 1 << 31);
    soc.write32(ARMCTRL_BASE + FIQ_CONTROL, FIQ_ENABLE | 3);
    new ArmctrlIrqchip(machine, soc);
    expect(log).toEqual([
      'err: [Firmware Bug]: Bootloader left irq enabled: bank 1 irq 3,5-6',
      'err: [Firmware Bug]: Bootloader left irq enabled: bank 2 irq 31',
      'err: [Firmware Bug]: Bootloader left fiq enabled',
    ]);
    const registers = [ENABLE_IRQS_1, ENABLE_IRQS_2, FIQ_CONTROL];
    expect(registers.map((register) => soc.read32(ARMCTRL_BASE + register))).toEqual([0, 0, 0]);
  });

  it('disables an interrupt that was enabled past the driver, and goes on with the others', () => {
    rig.handle(gpu(50));
    rig.soc.write32(ARMCTRL_BASE + ENABLE_IRQS_1, 1 << 9);
    rig.raise(gpu(9), gpu(50));
    expect(rig.log).toEqual(['crit: ARMCTRL: interrupt 9 of bank 1 is disabled: nobody handles it']);
    expect(rig.handled).toEqual([gpuHwirq(50)]);
    expect(rig.soc.read32(ARMCTRL_BASE + ENABLE_IRQS_1)).toBe(0);
  });

  it('disables an interrupt whose handler never clears its source, and goes on with the others', () => {
    rig.irqchip.domain.setChainedHandler(gpuHwirq(40), () => DONE, 'idle');
    rig.handle(gpu(50));
    rig.raise(gpu(40), gpu(50));
    expect(rig.log).toEqual(['crit: ARMCTRL: interrupt 8 of bank 2 is disabled: its handler does not clear it']);
    expect(rig.handled).toEqual([gpuHwirq(50)]);
  });
});
