// The chip as a driver sees it: an edge on a pad becomes an interrupt, over physical addresses only.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { Bcm2835 } from './soc.js';

const GPREN0 = 0x2020_004c;
const GPAREN1 = 0x2020_0080;
const GPEDS0 = 0x2020_0040;
const IRQ_BASIC = 0x2000_b200;
const IRQ_PENDING_2 = 0x2000_b208;
const ENABLE_IRQS_2 = 0x2000_b214;

describe('Bcm2835', () => {
  let clock: VirtualClock;
  let warnings: string[];
  let irq: [boolean, number][];
  let soc: Bcm2835;

  beforeEach(() => {
    clock = new VirtualClock();
    warnings = [];
    irq = [];
    soc = new Bcm2835({
      clock,
      warn: (message) => warnings.push(message),
      onIrq: (asserted) => irq.push([asserted, clock.now()]),
      onFiq: () => {},
    });
  });

  it('brings an edge from the pad to the ARM, and lets it go when GPEDS is cleared', () => {
    soc.write32(GPREN0, 1 << 17);
    soc.write32(ENABLE_IRQS_2, 1 << 17);
    clock.advance(1000);
    soc.gpio.drive(17, 1);
    clock.advance(1000);
    expect(irq).toEqual([[true, 1008]]);
    expect(soc.read32(IRQ_BASIC)).toBe(1 << 9);
    expect(soc.read32(IRQ_PENDING_2)).toBe(1 << 17);
    expect(soc.read32(GPEDS0)).toBe(1 << 17);
    soc.write32(GPEDS0, 1 << 17);
    expect(irq).toEqual([
      [true, 1008],
      [false, 2000],
    ]);
    expect(warnings).toEqual([]);
  });

  it('wires the banks to GPU interrupts 49 to 52', () => {
    soc.write32(ENABLE_IRQS_2, 0x001e_0000);
    soc.write32(GPAREN1, 1 << (50 - 32));
    soc.gpio.drive(50, 1);
    expect(soc.read32(IRQ_PENDING_2)).toBe((1 << (51 - 32)) | (1 << (52 - 32)));
  });

  it('warns of addresses where nothing is, and reads 0 there', () => {
    for (const address of [0, 0x2000_b1fc, 0x2000_b228, 0x201f_fffc, 0x2020_00b4, 0x7e20_0000]) {
      warnings.length = 0;
      expect(soc.read32(address)).toBe(0);
      soc.write32(address, 1);
      expect(warnings).toEqual([
        `BCM2835: read of unmapped address 0x${address.toString(16)}`,
        `BCM2835: write to unmapped address 0x${address.toString(16)}`,
      ]);
    }
  });
});
