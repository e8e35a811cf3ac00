// The per-core block as firmware sees it: routing, enables, mailboxes, timers, and the IRQ and FIQ of each core.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import * as reg from './local-intc.js';

const CORES = [0, 1, 2, 3];

describe('LocalIntc', () => {
  let clock: VirtualClock;
  let warnings: string[];
  let outputs: [string, number, boolean][];
  let local: reg.LocalIntc;

  beforeEach(() => {
    clock = new VirtualClock();
    warnings = [];
    outputs = [];
    local = new reg.LocalIntc({
      clock,
      warn: (message) => warnings.push(message),
      onIrq: (asserted, core) => outputs.push(['irq', core, asserted]),
      onFiq: (asserted, core) => outputs.push(['fiq', core, asserted]),
    });
  });

  const pending = (): number[] => CORES.map((core) => local.read32(reg.LOCAL_IRQ_PENDING0 + 4 * core));
  const fast = (): number[] => CORES.map((core) => local.read32(reg.LOCAL_FIQ_PENDING0 + 4 * core));

  it("sends the GPU's interrupts to one core, and to another when that is written", () => {
    local.setGpu('irq', true);
    expect(pending()).toEqual([1 << reg.LOCAL_IRQ_GPU_FAST, 0, 0, 0]);
    local.write32(reg.LOCAL_GPU_ROUTING, 2);
    expect(pending()).toEqual([0, 0, 1 << reg.LOCAL_IRQ_GPU_FAST, 0]);
    expect(outputs).toEqual([
      ['irq', 0, true],
      ['irq', 0, false],
      ['irq', 2, true],
    ]);
  });

  it("sends the GPU's FIQ to a core of its own", () => {
    local.write32(reg.LOCAL_GPU_ROUTING, 3 << 2);
    local.setGpu('fiq', true);
    expect([pending(), fast()]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 1 << reg.LOCAL_IRQ_GPU_FAST],
    ]);
    expect(outputs).toEqual([['fiq', 3, true]]);
  });

  it("takes a core's timer as IRQ, as FIQ, which wins, or not at all", () => {
    local.setTimer(1, reg.LOCAL_IRQ_CNTVIRQ, true);
    expect(outputs).toEqual([]);
    local.write32(reg.LOCAL_TIMER_INT_CONTROL0 + 4, 0x08);
    expect(pending()).toEqual([0, 8, 0, 0]);
    local.write32(reg.LOCAL_TIMER_INT_CONTROL0 + 4, 0x88);
    expect([pending(), fast()]).toEqual([
      [0, 0, 0, 0],
      [0, 8, 0, 0],
    ]);
  });

  it('raises a mailbox while any bit of it is set', () => {
    local.write32(reg.LOCAL_MAILBOX_INT_CONTROL0 + 4 * 3, 0b0101);
    local.write32(reg.LOCAL_MAILBOX0_SET0 + 16 * 3 + 4 * 2, 0x8000_0001);
    local.write32(reg.LOCAL_MAILBOX0_SET0 + 16 * 3 + 4, 1);
    expect(local.read32(reg.LOCAL_MAILBOX0_CLR0 + 16 * 3 + 4 * 2)).toBe(0x8000_0001);
    expect(pending()).toEqual([0, 0, 0, 1 << (reg.LOCAL_IRQ_MAILBOX0 + 2)]);
    local.write32(reg.LOCAL_MAILBOX0_CLR0 + 16 * 3 + 4 * 2, 1);
    expect(pending()[3]).toBe(1 << (reg.LOCAL_IRQ_MAILBOX0 + 2));
    local.write32(reg.LOCAL_MAILBOX0_CLR0 + 16 * 3 + 4 * 2, 0x8000_0000);
    expect(outputs).toEqual([
      ['irq', 3, true],
      ['irq', 3, false],
    ]);
  });

  it('routes performance monitors by bits that are set and cleared', () => {
    local.setPmu(2, true);
    local.write32(reg.LOCAL_PM_ROUTING_SET, 0b0110);
    expect([local.read32(reg.LOCAL_PM_ROUTING_SET), pending()]).toEqual([6, [0, 0, 1 << reg.LOCAL_IRQ_PMU_FAST, 0]]);
    local.write32(reg.LOCAL_PM_ROUTING_CLR, 0b0100);
    expect(pending()).toEqual([0, 0, 0, 0]);
    local.write32(reg.LOCAL_PM_ROUTING_SET, 0b0100_0100);
    expect([pending()[2], fast()[2]]).toEqual([0, 1 << reg.LOCAL_IRQ_PMU_FAST]);
  });

  it('counts 19.2 MHz of the crystal, divided by the prescaler', () => {
    clock.advance(1_000_000);
    expect(local.read32(reg.LOCAL_COUNTER_LS)).toBe(0);
    local.write32(reg.LOCAL_PRESCALER, 0x8000_0000);
    clock.advance(1_000_000);
    expect(local.read32(reg.LOCAL_COUNTER_LS)).toBe(19_200);
    local.write32(reg.LOCAL_PRESCALER, 0x4000_0000);
    local.write32(reg.LOCAL_CONTROL, 1 << 9);
    clock.advance(1_000_000);
    expect(local.read32(reg.LOCAL_COUNTER_LS)).toBe(2 * 19_200);
  });

  it('takes both halves of the counter at once, as they are read and written', () => {
    local.write32(reg.LOCAL_PRESCALER, 0x8000_0000);
    local.write32(reg.LOCAL_COUNTER_LS, 0xffff_ffff);
    local.write32(reg.LOCAL_COUNTER_MS, 5);
    expect(local.read32(reg.LOCAL_COUNTER_LS)).toBe(0xffff_ffff);
    clock.advance(1_000);
    expect(local.read32(reg.LOCAL_COUNTER_MS)).toBe(5);
    expect([local.read32(reg.LOCAL_COUNTER_LS), local.read32(reg.LOCAL_COUNTER_MS)]).toEqual([18, 6]);
  });

  it('reloads its own timer after each period, and interrupts the core that it is routed to until the flag is cleared', () => {
    local.write32(reg.LOCAL_INT_ROUTING, 1);
    local.write32(reg.LOCAL_TIMER_CONTROL, (1 << 29) | (1 << 28) | 38_400);
    clock.advance(999_999);
    expect(outputs).toEqual([]);
    clock.advance(1);
    expect(pending()).toEqual([0, 1 << reg.LOCAL_IRQ_LOCAL_TIMER, 0, 0]);
    local.write32(reg.LOCAL_TIMER_FLAGS, 0x8000_0000);
    expect(local.read32(reg.LOCAL_TIMER_CONTROL)).toBe((1 << 29) | (1 << 28) | 38_400);
    clock.advance(1_000_000);
    expect(outputs.map(([, , asserted]) => asserted)).toEqual([true, false, true]);
  });

  it('warns of what is not in its map, and of registers that are written or read only', () => {
    local.read32(0x04);
    local.write32(0x28, 1);
    local.read32(0x61);
    local.read32(reg.LOCAL_MAILBOX0_SET0);
    local.read32(reg.LOCAL_TIMER_FLAGS);
    local.write32(reg.LOCAL_IRQ_PENDING0, 1);
    local.write32(0x100, 1);
    expect(warnings).toEqual([
      'local: read of unmapped register 0x40000004',
      'local: write to unmapped register 0x40000028',
      'local: misaligned read of register 0x40000061',
      'local: read of write-only register 0x40000080',
      'local: read of write-only register 0x40000038',
      'local: write to read-only register 0x40000060',
      'local: write to unmapped register 0x40000100',
    ]);
    expect(() => local.setTimer(4, 0, true)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('has each output at the level that its pending register says, whatever is written and wired', () => {
    const write = fc.tuple(
      fc.constantFrom(
        ...Array.from({ length: 64 }, (_, i) => 4 * i).filter((offset) => offset < 0x60 || offset >= 0x80),
      ),
      fc.oneof(fc.nat({ max: 255 }), fc.integer({ min: 0, max: 0xffff_ffff })),
    );
    const input = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 6 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(fc.oneof(write, input), { maxLength: 40 }), (steps) => {
        const own = new VirtualClock();
        const levels = { irq: 0, fiq: 0 };
        const set = (kind: 'irq' | 'fiq') => (asserted: boolean, core: number) => {
          levels[kind] = asserted ? levels[kind] | (1 << core) : levels[kind] & ~(1 << core);
        };
        const block = new reg.LocalIntc({ clock: own, warn: () => {}, onIrq: set('irq'), onFiq: set('fiq') });
        for (const step of steps) {
          if (step.length === 2) block.write32(...step);
          else if (step[1] < 4) block.setTimer(...step);
          else if (step[1] === 4) block.setPmu(step[0], step[2]);
          else block.setGpu(step[1] === 5 ? 'irq' : 'fiq', step[2]);
          own.advance(1_000);
          for (const core of CORES) {
            const irq = block.read32(reg.LOCAL_IRQ_PENDING0 + 4 * core);
            const fiq = block.read32(reg.LOCAL_FIQ_PENDING0 + 4 * core);
            // Only the GPU's two outputs can be pending as both.
            expect(irq & fiq & ~(1 << reg.LOCAL_IRQ_GPU_FAST)).toBe(0);
            expect([(levels.irq >> core) & 1, (levels.fiq >> core) & 1]).toEqual([
              irq === 0 ? 0 : 1,
              fiq === 0 ? 0 : 1,
            ]);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
