// Pulls of the BCM2711: read back, in effect at once, and with the reset state that the datasheet gives them.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { BCM2711_GPIO_LINES, Bcm2835Gpio, GPFSEL5, GPLEV0, GPLEV1, GPPUD, GPPUDCLK0 } from '../bcm2835/gpio.js';
import { GPIO_PUP_PDN_CNTRL_REG0 } from './gpio-pull.js';

const WORDS = [0, 1, 2, 3];
const GPIO_BASE = 0xfe20_0000;

describe('GPIO_PUP_PDN_CNTRL_REG', () => {
  let warnings: string[];
  let gpio: Bcm2835Gpio;

  beforeEach(() => {
    warnings = [];
    gpio = new Bcm2835Gpio({
      clock: new VirtualClock(),
      warn: (message) => warnings.push(message),
      onBankIrq: () => {},
      base: GPIO_BASE,
      variant: 'bcm2711',
    });
  });

  const registers = (): number[] => WORDS.map((word) => gpio.read32(GPIO_PUP_PDN_CNTRL_REG0 + 4 * word));

  it('says after reset what the pads show', () => {
    expect(registers()).toEqual([0xaaa9_5555, 0xa0aa_aaaa, 0x50aa_a95a, 0x0005_5555]);
    expect([gpio.read32(GPLEV0), gpio.read32(GPLEV1)]).toEqual([0x1ff, 0x03ff_c01c]);
  });

  it('pulls a line as soon as it is written, and leaves the others alone', () => {
    const before = registers();
    gpio.write32(GPIO_PUP_PDN_CNTRL_REG0 + 4, ((before[1] ?? 0) & ~(3 << 2)) | (1 << 2));
    expect([gpio.level(16), gpio.level(17), gpio.level(18)]).toEqual([0, 1, 0]);
    gpio.drive(17, 0);
    gpio.drive(17, 'float');
    expect([gpio.level(17), warnings]).toEqual([1, []]);
  });

  it('keeps the pull of a line that is given the reserved value, with a warning', () => {
    gpio.write32(GPIO_PUP_PDN_CNTRL_REG0, 0xaaa9_5555 | (3 << 4));
    expect(registers()[0]).toBe(0xaaa9_5555);
    expect(warnings).toEqual(['GPIO: GPIO2: the pull value 3 is reserved; the pull stays as it was']);
  });

  it('has four lines more than a BCM2835, and nothing behind them', () => {
    gpio.write32(GPFSEL5, 0xffff_ffff);
    gpio.write32(GPIO_PUP_PDN_CNTRL_REG0 + 12, 0xffff_ffff & ~0xf_ffff);
    expect([gpio.lines, gpio.read32(GPFSEL5), registers()[3]]).toEqual([BCM2711_GPIO_LINES, 0x00ff_ffff, 0]);
    gpio.drive(57, 1);
    expect(() => gpio.drive(58, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('takes the place of GPPUD, which is not there', () => {
    gpio.read32(GPPUD);
    gpio.write32(GPPUDCLK0, 1);
    expect(warnings).toEqual([
      'GPIO: read of unmapped register 0xfe200094',
      'GPIO: write to unmapped register 0xfe200098',
    ]);
  });

  it('has pads go where the fields say, whatever is written in which order', () => {
    const write = fc.tuple(fc.constantFrom(...WORDS), fc.integer({ min: 0, max: 0xffff_ffff }));
    fc.assert(
      fc.property(fc.array(write, { maxLength: 10 }), (writes) => {
        const own = new Bcm2835Gpio({
          clock: new VirtualClock(),
          warn: () => {},
          onBankIrq: () => {},
          variant: 'bcm2711',
        });
        for (const [word, value] of writes) own.write32(GPIO_PUP_PDN_CNTRL_REG0 + 4 * word, value);
        for (let line = 0; line < BCM2711_GPIO_LINES; line++) {
          const field = (own.read32(GPIO_PUP_PDN_CNTRL_REG0 + 4 * (line >> 4)) >>> (2 * (line & 15))) & 3;
          for (const level of [0, 1] as const) {
            own.drive(line, level);
            own.drive(line, 'float');
            expect(own.level(line)).toBe([level, 1, 0][field]);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
