// Any software on any chip: no load or store throws, loads are 32 bits without a sign, and what no register takes is told of.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { GICC_BASE } from '../bcm2711/gic-cpu-interface.js';
import { GICD_BASE } from '../bcm2711/gic-distributor.js';
import { Bcm2711 } from '../bcm2711/soc.js';
import { LOCAL_INTC_BASE } from '../bcm2836/local-intc.js';
import { Bcm2836 } from '../bcm2836/soc.js';
import { ARMCTRL_OFFSET, Bcm2835, GPIO_OFFSET, type Soc, type SocOptions, SYSTIMER_OFFSET } from './soc.js';

const CHIPS: readonly [string, new (options: SocOptions) => Soc, readonly number[]][] = [
  ['bcm2835', Bcm2835, []],
  ['bcm2836', Bcm2836, [LOCAL_INTC_BASE]],
  ['bcm2711', Bcm2711, [GICD_BASE, GICC_BASE]],
];
/** More than the largest register map. */
const OFFSETS = 0x2100;

describe.each(CHIPS)('any access to a %s', (_, Chip, bases) => {
  const rig = () => {
    const warnings: string[] = [];
    let core = 0;
    const clock = new VirtualClock();
    const soc = new Chip({
      clock,
      warn: (message) => warnings.push(message),
      accessedBy: () => 'here',
      accessingCore: () => core,
      onIrq: () => {},
      onFiq: () => {},
    });
    const peripherals = [GPIO_OFFSET, ARMCTRL_OFFSET, SYSTIMER_OFFSET].map((offset) => soc.peripherals + offset);
    const setCore = (n: number): void => {
      core = n;
    };
    return { soc, clock, warnings, setCore, bases: [...bases, ...peripherals] };
  };

  it('gives a number of 32 bits, or takes one, and throws nothing', () => {
    const access = fc.record({
      place: fc.nat({ max: 4 }),
      offset: fc.oneof(
        fc.nat({ max: 0x40 }).map((word) => 4 * word),
        fc.nat({ max: OFFSETS }),
      ),
      value: fc.option(
        fc.oneof(
          fc.integer({ min: 0, max: 0xffff_ffff }),
          fc.nat({ max: 31 }).map((bit) => 2 ** bit),
        ),
      ),
      core: fc.nat({ max: 3 }),
      ns: fc.nat({ max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
        const { soc, clock, bases: places, setCore } = rig();
        for (const { place, offset, value, core, ns } of accesses) {
          const address = (places[place % places.length] ?? 0) + offset;
          setCore(core);
          if (value === null) {
            const got = soc.read32(address);
            expect(Number.isInteger(got) && got >= 0 && got <= 0xffff_ffff, `${got} at ${address.toString(16)}`).toBe(
              true,
            );
          } else soc.write32(address, value);
          clock.advance(ns);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('that is misaligned, or in no map, does nothing but warn, with the address and who it was', () => {
    const { soc, warnings, bases: places } = rig();
    for (const base of places) {
      for (const address of [base + 1, base + 2, base - 4]) {
        const mapped = places.some((other) => other !== base && address >= other && address < other + 0x1000);
        if (mapped) continue;
        warnings.length = 0;
        const before = soc.read32(address);
        soc.write32(address, 0xffff_ffff);
        expect([before, soc.read32(address), warnings.length]).toEqual([0, 0, 3]);
        for (const warning of warnings) expect(warning).toMatch(new RegExp(`0x${address.toString(16)}, by here$`));
      }
    }
  });
});
