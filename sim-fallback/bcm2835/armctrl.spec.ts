// The interrupt controller as firmware sees it: pending, enables, shortcuts, FIQ.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import * as reg from './armctrl.js';

describe('Armctrl', () => {
  let warnings: string[];
  let irq: boolean[];
  let fiq: boolean[];
  let armctrl: reg.Armctrl;

  beforeEach(() => {
    warnings = [];
    irq = [];
    fiq = [];
    armctrl = new reg.Armctrl({
      warn: (message) => warnings.push(message),
      onIrq: (asserted) => irq.push(asserted),
      onFiq: (asserted) => fiq.push(asserted),
    });
  });

  const pending = () =>
    [reg.IRQ_BASIC_PENDING, reg.IRQ_PENDING_1, reg.IRQ_PENDING_2].map((offset) => armctrl.read32(offset));

  it('shows nothing pending while an interrupt is disabled', () => {
    armctrl.setGpuIrq(49, true);
    expect(pending()).toEqual([0, 0, 0]);
    expect(irq).toEqual([]);
  });

  it('shows GPU interrupt 49 in pending 2 and in bit 9 of basic pending', () => {
    armctrl.write32(reg.ENABLE_IRQS_2, 1 << 17);
    armctrl.setGpuIrq(49, true);
    expect(pending()).toEqual([reg.BASIC_PENDING_2, 0, 1 << 17]);
    expect(irq).toEqual([true]);
    armctrl.setGpuIrq(49, false);
    expect(pending()).toEqual([0, 0, 0]);
    expect(irq).toEqual([true, false]);
  });

  it('latches nothing: an interrupt that went away before it was enabled is gone', () => {
    armctrl.setGpuIrq(3, true);
    armctrl.setGpuIrq(3, false);
    armctrl.write32(reg.ENABLE_IRQS_1, 1 << 3);
    expect(irq).toEqual([]);
  });

  it.each([
    ['1', reg.ENABLE_IRQS_1, reg.DISABLE_IRQS_1, 0xffff_ffff],
    ['2', reg.ENABLE_IRQS_2, reg.DISABLE_IRQS_2, 0xffff_ffff],
    ['basic', reg.ENABLE_BASIC_IRQS, reg.DISABLE_BASIC_IRQS, 0xff],
  ])('disables %s by writing 1, and reads the enables back', (_, enable, disable, lines) => {
    armctrl.write32(enable, 0x8000_0083);
    armctrl.write32(enable, 4);
    armctrl.write32(disable, 1);
    const enabled = (0x8000_0086 & lines) >>> 0;
    expect(armctrl.read32(enable)).toBe(enabled);
    expect(armctrl.read32(disable)).toBe((~enabled & lines) >>> 0);
    expect(armctrl.read32(reg.FIQ_CONTROL)).toBe(0);
  });

  it.each(reg.SHORTCUTS.map((n, i) => [n, i]))('shows GPU interrupt %i as shortcut %i, not in bits 8 and 9', (n, i) => {
    armctrl.write32(n < 32 ? reg.ENABLE_IRQS_1 : reg.ENABLE_IRQS_2, 1 << (n & 31));
    armctrl.setGpuIrq(n, true);
    const bit = (1 << (n & 31)) >>> 0;
    expect(pending()).toEqual([1 << (reg.SHORTCUT_SHIFT + i), n < 32 ? bit : 0, n < 32 ? 0 : bit]);
  });

  it('enables a shortcut in its own register only, and cannot mask bits 8 and 9', () => {
    armctrl.write32(reg.ENABLE_BASIC_IRQS, 0xffff_ffff);
    armctrl.setGpuIrq(7, true);
    expect(irq).toEqual([]);
    armctrl.write32(reg.ENABLE_IRQS_1, (1 << 7) | (1 << 3));
    armctrl.setGpuIrq(3, true);
    armctrl.write32(reg.DISABLE_BASIC_IRQS, 0xffff_ffff);
    expect(armctrl.read32(reg.IRQ_BASIC_PENDING)).toBe(reg.BASIC_PENDING_1 | (1 << reg.SHORTCUT_SHIFT));
    expect(armctrl.read32(reg.ENABLE_BASIC_IRQS)).toBe(0);
  });

  it('shows ARM interrupts in bits 0-7 of basic pending', () => {
    armctrl.write32(reg.ENABLE_BASIC_IRQS, 0x81);
    for (let n = 0; n < reg.ARM_IRQS; n++) armctrl.setArmIrq(n, true);
    expect(pending()).toEqual([0x81, 0, 0]);
  });

  it('takes the FIQ from one source, enabled as an IRQ or not', () => {
    armctrl.setGpuIrq(52, true);
    armctrl.write32(reg.FIQ_CONTROL, 52);
    expect(fiq).toEqual([]);
    armctrl.write32(reg.FIQ_CONTROL, reg.FIQ_ENABLE | 52);
    expect(fiq).toEqual([true]);
    expect(irq).toEqual([]);
    armctrl.write32(reg.ENABLE_IRQS_2, 1 << 20);
    expect(irq).toEqual([true]);
    armctrl.write32(reg.FIQ_CONTROL, reg.FIQ_ENABLE | 66);
    expect(fiq).toEqual([true, false]);
    armctrl.setArmIrq(2, true);
    expect(fiq).toEqual([true, false, true]);
    armctrl.write32(reg.FIQ_CONTROL, 0xffff_ffff);
    expect(armctrl.read32(reg.FIQ_CONTROL)).toBe(0xff);
    expect(fiq).toEqual([true, false, true, false]);
  });

  it('warns of accesses outside the map and of writes to pending', () => {
    expect(armctrl.read32(0x28)).toBe(0);
    armctrl.write32(0x28, 1);
    armctrl.read32(2);
    armctrl.write32(reg.IRQ_PENDING_2, 1);
    expect(warnings).toEqual([
      'ARMCTRL: read of unmapped register 0x2000b228',
      'ARMCTRL: write to unmapped register 0x2000b228',
      'ARMCTRL: misaligned read of register 0x2000b202',
      'ARMCTRL: write to read-only register 0x2000b208',
    ]);
  });

  it('refuses inputs that do not exist', () => {
    for (const n of [-1, 64, 0.5]) expect(() => armctrl.setGpuIrq(n, true)).toThrow(/no such input/);
    expect(() => armctrl.setArmIrq(8, true)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('asserts its output exactly while an enabled input is asserted, and dispatch finds it', () => {
    const op = fc.record({ n: fc.nat({ max: 71 }), kind: fc.constantFrom('raise', 'lower', 'enable', 'disable') });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        let output = false;
        const own = new reg.Armctrl({ warn: () => {}, onIrq: (asserted) => (output = asserted), onFiq: () => {} });
        const raised = new Set<number>();
        const enabled = new Set<number>();
        for (const { n, kind } of ops) {
          if (kind === 'raise' || kind === 'lower') {
            if (n < 64) own.setGpuIrq(n, kind === 'raise');
            else own.setArmIrq(n - 64, kind === 'raise');
            raised[kind === 'raise' ? 'add' : 'delete'](n);
          } else {
            const first = kind === 'enable' ? reg.ENABLE_IRQS_1 : reg.DISABLE_IRQS_1;
            own.write32(first + 4 * (n >> 5), 1 << (n & 31));
            enabled[kind === 'enable' ? 'add' : 'delete'](n);
          }
          const active = [...raised].filter((each) => enabled.has(each));
          expect(output).toBe(active.length > 0);
          expect(dispatched(own)).toEqual(active.sort((a, b) => a - b));
        }
      }),
    );
  });
});

/** All that a handler finds by the walk of the reference: basic pending, then pending 1 and 2 only where it points there. */
function dispatched(armctrl: reg.Armctrl): number[] {
  const basic = armctrl.read32(reg.IRQ_BASIC_PENDING);
  const found = new Set<number>();
  for (let n = 0; n < 8; n++) if ((basic >>> n) & 1) found.add(64 + n);
  for (const [i, n] of reg.SHORTCUTS.entries()) if ((basic >>> (reg.SHORTCUT_SHIFT + i)) & 1) found.add(n);
  for (const [flag, offset, first] of [
    [reg.BASIC_PENDING_1, reg.IRQ_PENDING_1, 0],
    [reg.BASIC_PENDING_2, reg.IRQ_PENDING_2, 32],
  ] as const) {
    const word = basic & flag ? armctrl.read32(offset) : 0;
    for (let n = 0; n < 32; n++) if ((word >>> n) & 1) found.add(first + n);
  }
  return [...found].sort((a, b) => a - b);
}
