// The GIC-400 as firmware sees it: pending, active, priorities, targets, software generated interrupts, and what is signalled to each core.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import * as cpu from './gic-cpu-interface.js';
import * as dist from './gic-distributor.js';

const SPI = 145;
const SPURIOUS = cpu.GICC_SPURIOUS;

class Rig {
  core = 0;
  readonly warnings: string[] = [];
  /** IRQ inputs, a bit a core. */
  irqs = 0;
  readonly #warn = (message: string): number => this.warnings.push(message);
  readonly distributor: dist.GicDistributor = new dist.GicDistributor({
    warn: this.#warn,
    accessingCore: () => this.core,
    changed: () => this.interfaces.update(),
  });
  readonly interfaces: cpu.GicCpuInterfaces = new cpu.GicCpuInterfaces({
    distributor: this.distributor,
    warn: this.#warn,
    accessingCore: () => this.core,
    onIrq: (asserted, core) => {
      this.irqs = asserted ? this.irqs | (1 << core) : this.irqs & ~(1 << core);
    },
  });

  /** All interfaces on, taking everything that is more urgent than 0xf0. */
  constructor(control = cpu.GICC_ENABLE) {
    this.distributor.write32(dist.GICD_CTLR, 1);
    for (this.core = 0; this.core < dist.GIC_CORES; this.core++) {
      this.interfaces.write32(cpu.GICC_PMR, 0xf0);
      this.interfaces.write32(cpu.GICC_CTLR, control);
    }
    this.core = 0;
  }

  bits(register: number, irq: number): number {
    return register + 4 * (irq >> 5);
  }

  byte(register: number, irq: number, value: number): void {
    const at = register + (irq & ~3);
    const shift = 8 * (irq & 3);
    this.distributor.write32(at, (this.distributor.read32(at) & ~(0xff << shift)) | (value << shift));
  }

  enable(irq: number, priority = 0xa0, targets = 1): void {
    this.byte(dist.GICD_IPRIORITYR, irq, priority);
    if (irq >= dist.GIC_PRIVATE) this.byte(dist.GICD_ITARGETSR, irq, targets);
    this.distributor.write32(this.bits(dist.GICD_ISENABLER, irq), 1 << (irq & 31));
  }

  has(register: number, irq: number): boolean {
    return ((this.distributor.read32(this.bits(register, irq)) >>> (irq & 31)) & 1) !== 0;
  }

  edge(irq: number): void {
    const at = dist.GICD_ICFGR + 4 * (irq >> 4);
    this.distributor.write32(at, this.distributor.read32(at) | (2 << (2 * (irq & 15))));
  }

  take(): number {
    return this.interfaces.read32(cpu.GICC_IAR);
  }

  end(irq: number): void {
    this.interfaces.write32(cpu.GICC_EOIR, irq);
  }
}

describe('a GIC-400', () => {
  let gic: Rig;
  beforeEach(() => {
    gic = new Rig();
  });

  it('says what it is', () => {
    expect([gic.distributor.read32(dist.GICD_TYPER) & 0xff, gic.distributor.read32(dist.GICD_IIDR)]).toEqual([
      0x67, 0x0200_143b,
    ]);
    expect(gic.interfaces.read32(cpu.GICC_IIDR)).toBe(0x0202_143b);
    expect(gic.distributor.read32(0xfe8)).toBe(0x2b);
  });

  it('has a level pending while it lasts, active from its acknowledgement to its end, and pending again behind that', () => {
    gic.enable(SPI);
    gic.distributor.setInput(SPI, true);
    expect([gic.irqs, gic.has(dist.GICD_ISPENDR, SPI)]).toEqual([1, true]);
    expect(gic.take()).toBe(SPI);
    expect([gic.irqs, gic.has(dist.GICD_ISACTIVER, SPI), gic.take()]).toEqual([0, true, SPURIOUS]);
    gic.end(SPI);
    expect([gic.irqs, gic.has(dist.GICD_ISACTIVER, SPI)]).toEqual([1, false]);
    gic.distributor.setInput(SPI, false);
    expect([gic.irqs, gic.take(), gic.warnings]).toEqual([0, SPURIOUS, []]);
  });

  it('latches an edge until it is acknowledged, and the next one while that is active', () => {
    gic.enable(SPI);
    gic.edge(SPI);
    const pulse = (): void => {
      gic.distributor.setInput(SPI, true);
      gic.distributor.setInput(SPI, false);
    };
    pulse();
    expect(gic.take()).toBe(SPI);
    pulse();
    expect([gic.irqs, gic.has(dist.GICD_ISPENDR, SPI), gic.has(dist.GICD_ISACTIVER, SPI)]).toEqual([0, true, true]);
    gic.end(SPI);
    expect([gic.irqs, gic.take()]).toEqual([1, SPI]);
  });

  it('forwards what is enabled and targeted, to that core only', () => {
    gic.distributor.setInput(SPI, true);
    expect(gic.irqs).toBe(0);
    gic.enable(SPI, 0xa0, 0b0100);
    expect(gic.irqs).toBe(0b0100);
    gic.byte(dist.GICD_ITARGETSR, SPI, 0b1000);
    expect(gic.irqs).toBe(0b1000);
    gic.distributor.write32(gic.bits(dist.GICD_ICENABLER, SPI), 1 << (SPI & 31));
    expect(gic.irqs).toBe(0);
  });

  it('gives an interrupt for several cores to the one that takes it', () => {
    gic.enable(SPI, 0xa0, 0b0011);
    gic.distributor.setInput(SPI, true);
    expect(gic.irqs).toBe(0b0011);
    gic.core = 1;
    expect(gic.take()).toBe(SPI);
    gic.core = 0;
    expect([gic.irqs, gic.take()]).toEqual([0, SPURIOUS]);
  });

  it('hands out the most urgent first, the lowest of equal ones, and lets what is more urgent come in between', () => {
    for (const [irq, priority] of [
      [100, 0xa0],
      [40, 0xa0],
      [101, 0x80],
    ] as const) {
      gic.enable(irq, priority);
      gic.distributor.setInput(irq, true);
    }
    expect([gic.take(), gic.take()]).toEqual([101, SPURIOUS]);
    gic.enable(200, 0x40);
    gic.distributor.setInput(200, true);
    expect([gic.interfaces.read32(cpu.GICC_RPR), gic.irqs, gic.take()]).toEqual([0x80, 1, 200]);
    gic.distributor.setInput(200, false);
    gic.distributor.setInput(101, false);
    gic.end(200);
    gic.end(101);
    expect([gic.take(), gic.interfaces.read32(cpu.GICC_RPR)]).toEqual([40, 0xa0]);
  });

  it('signals nothing that the priority mask, the binary point or a control register keeps back', () => {
    gic.enable(SPI, 0xf0);
    gic.distributor.setInput(SPI, true);
    expect(gic.irqs).toBe(0);
    gic.byte(dist.GICD_IPRIORITYR, SPI, 0xe0);
    expect(gic.irqs).toBe(1);
    gic.distributor.write32(dist.GICD_CTLR, 0);
    expect([gic.irqs, gic.take()]).toEqual([0, SPURIOUS]);
    gic.distributor.write32(dist.GICD_CTLR, 1);
    expect(gic.take()).toBe(SPI);
    gic.interfaces.write32(cpu.GICC_BPR, 7);
    gic.enable(50, 0x80);
    gic.distributor.setInput(50, true);
    expect(gic.irqs).toBe(1);
    expect(gic.take()).toBe(50);
    gic.enable(51, 0x90);
    gic.distributor.setInput(51, true);
    gic.enable(52, 0x10);
    gic.distributor.setInput(52, true);
    expect([gic.irqs, gic.take()]).toEqual([1, 52]);
  });

  it('drops the priority at the end and deactivates apart from that, when that is chosen', () => {
    const split = new Rig(cpu.GICC_ENABLE | cpu.GICC_EOIMODE);
    for (const irq of [60, 61]) {
      split.enable(irq);
      split.distributor.setInput(irq, true);
    }
    expect(split.take()).toBe(60);
    split.end(60);
    expect([split.has(dist.GICD_ISACTIVER, 60), split.irqs, split.take()]).toEqual([true, 1, 61]);
    split.end(61);
    split.interfaces.write32(cpu.GICC_DIR, 60);
    expect([split.has(dist.GICD_ISACTIVER, 60), split.irqs]).toEqual([false, 1]);
  });

  it('raises software generated interrupts on chosen cores, the others or the own, one for each source', () => {
    for (gic.core = 0; gic.core < 4; gic.core++) gic.enable(5);
    gic.core = 1;
    gic.distributor.write32(dist.GICD_SGIR, (0b1001 << 16) | 5);
    expect(gic.irqs).toBe(0b1001);
    gic.core = 2;
    gic.distributor.write32(dist.GICD_SGIR, (1 << 24) | 5);
    expect(gic.irqs).toBe(0b1011);
    gic.distributor.write32(dist.GICD_SGIR, (2 << 24) | 5);
    expect(gic.irqs).toBe(0b1111);
    gic.core = 3;
    expect(gic.distributor.read32(dist.GICD_SPENDSGIR + 4)).toBe(0b0110 << 8);
    expect(gic.interfaces.read32(cpu.GICC_HPPIR)).toBe(5 | (1 << 10));
    gic.distributor.write32(dist.GICD_CTLR, 0);
    expect(gic.interfaces.read32(cpu.GICC_HPPIR)).toBe(SPURIOUS);
    gic.distributor.write32(dist.GICD_CTLR, 1);
    expect([gic.take(), gic.take()]).toEqual([5 | (1 << 10), SPURIOUS]);
    gic.end(5 | (1 << 10));
    expect(gic.take()).toBe(5 | (2 << 10));
    gic.end(5 | (2 << 10));
    gic.distributor.write32(gic.bits(dist.GICD_ISPENDR, 5), 1 << 5);
    expect(gic.take()).toBe(SPURIOUS);
    gic.distributor.write32(dist.GICD_SPENDSGIR + 4, 1 << 8);
    expect(gic.take()).toBe(5);
  });

  it('wants a software generated interrupt ended with the core that raised it', () => {
    gic.enable(5);
    gic.core = 1;
    gic.distributor.write32(dist.GICD_SGIR, (1 << 16) | 5);
    gic.core = 0;
    gic.interfaces.write32(cpu.GICC_CTLR, cpu.GICC_ENABLE | cpu.GICC_EOIMODE);
    const id = gic.take();
    gic.interfaces.write32(cpu.GICC_EOIR, 5);
    gic.interfaces.write32(cpu.GICC_DIR, 5);
    expect([gic.has(dist.GICD_ISACTIVER, 5), gic.warnings]).toEqual([
      true,
      [
        'GIC: core 0 ends interrupt 5 of core 0, which is not the last that it has acknowledged',
        'GIC: core 0 deactivates interrupt 5 of core 0, which is not active',
      ],
    ]);
    gic.interfaces.write32(cpu.GICC_EOIR, id);
    gic.interfaces.write32(cpu.GICC_DIR, id);
    expect([gic.has(dist.GICD_ISACTIVER, 5), gic.interfaces.read32(cpu.GICC_RPR), gic.warnings.length]).toEqual([
      false,
      0xff,
      2,
    ]);
  });

  it("keeps each core's own interrupts apart", () => {
    gic.core = 2;
    gic.enable(27);
    gic.distributor.setInput(27, true, 2);
    gic.distributor.setInput(27, true, 3);
    expect([gic.irqs, gic.has(dist.GICD_ISENABLER, 27), gic.distributor.read32(dist.GICD_PPISR)]).toEqual([
      4,
      true,
      1 << 11,
    ]);
    gic.core = 3;
    expect([gic.has(dist.GICD_ISENABLER, 27), gic.has(dist.GICD_ISPENDR, 27), gic.take()]).toEqual([
      false,
      true,
      SPURIOUS,
    ]);
    expect(gic.distributor.read32(dist.GICD_ITARGETSR)).toBe(0x0808_0808);
  });

  it('warns of ends that fit no acknowledgement, and of what is not in its maps', () => {
    gic.end(SPI);
    gic.interfaces.write32(cpu.GICC_DIR, SPI);
    gic.distributor.read32(dist.GICD_SGIR);
    gic.distributor.write32(dist.GICD_TYPER, 1);
    gic.distributor.write32(0xe00, 1);
    gic.distributor.write32(dist.GICD_IGROUPR, 1);
    gic.interfaces.read32(cpu.GICC_EOIR);
    gic.interfaces.write32(cpu.GICC_IAR, 1);
    gic.interfaces.read32(0x20);
    expect(gic.warnings).toEqual([
      'GIC: core 0 ends interrupt 145, which is not the last that it has acknowledged',
      'GIC: core 0 deactivates interrupt 145, which ending it does',
      'GIC: read of write-only register 0xff841f00',
      'GIC: write to read-only register 0xff841004',
      'GIC: write to unmapped register 0xff841e00',
      "GIC: write to 0xff841080: the groups are the secure software's",
      'GIC: read of write-only register 0xff842010',
      'GIC: write to read-only register 0xff84200c',
      'GIC: read of unmapped register 0xff842020',
    ]);
  });

  it('has each core asserted exactly when its acknowledgement would give an interrupt, which is never active twice', () => {
    const irqs = [3, 9, 27, 40, 97, 130];
    const step = fc.record({
      core: fc.nat({ max: 3 }),
      what: fc.constantFrom('input', 'enable', 'disable', 'sgi', 'take', 'end', 'pend', 'unpend', 'target'),
      irq: fc.constantFrom(...irqs),
      value: fc.nat({ max: 15 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rig = new Rig();
        const taken: number[][] = [[], [], [], []];
        for (const { core, what, irq, value } of steps) {
          rig.core = core;
          const own = taken[core] ?? [];
          const bit = 1 << (irq & 31);
          if (what === 'input' && irq >= 16) rig.distributor.setInput(irq, value > 7, core);
          else if (what === 'enable') rig.enable(irq, value << 4, 1 << (value & 3));
          else if (what === 'disable') rig.distributor.write32(rig.bits(dist.GICD_ICENABLER, irq), bit);
          else if (what === 'sgi') rig.distributor.write32(dist.GICD_SGIR, (value << 16) | (irq & 15));
          else if (what === 'pend') rig.distributor.write32(rig.bits(dist.GICD_ISPENDR, irq), bit);
          else if (what === 'unpend') rig.distributor.write32(rig.bits(dist.GICD_ICPENDR, irq), bit);
          else if (what === 'target' && irq >= 32) rig.byte(dist.GICD_ITARGETSR, irq, value);
          else if (what === 'take') {
            const asserted = ((rig.irqs >> core) & 1) !== 0;
            const got = rig.take();
            expect(got !== SPURIOUS).toBe(asserted);
            if (got === SPURIOUS) continue;
            const id = got & 0x3ff;
            const holders = id < 32 ? [own] : taken;
            expect(holders.some((held) => held.some((other) => (other & 0x3ff) === id))).toBe(false);
            own.push(got);
          } else if (what === 'end') {
            const last = own.pop();
            if (last !== undefined) rig.end(last);
          }
        }
        expect(rig.warnings).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
