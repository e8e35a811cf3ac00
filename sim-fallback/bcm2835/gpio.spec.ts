// The GPIO block as firmware sees it: functions, outputs, levels, pads, wrong accesses.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import * as reg from './gpio.js';
import type { PadLevel } from './pads.js';

describe('Bcm2835Gpio', () => {
  let clock: VirtualClock;
  let warnings: string[];
  let irqs: [number, boolean][];
  let gpio: reg.Bcm2835Gpio;

  beforeEach(() => {
    clock = new VirtualClock();
    warnings = [];
    irqs = [];
    gpio = new reg.Bcm2835Gpio({
      clock,
      warn: (message) => warnings.push(message),
      onBankIrq: (bank, asserted) => irqs.push([bank, asserted]),
    });
  });

  const makeOutput = (line: number) => {
    const offset = reg.GPFSEL0 + 4 * Math.floor(line / 10);
    const shift = 3 * (line % 10);
    gpio.write32(offset, (gpio.read32(offset) & ~(7 << shift)) | (reg.FSEL_OUTPUT << shift));
  };

  describe('after reset', () => {
    it('has every line an input and no detector enabled', () => {
      for (let offset = reg.GPFSEL0; offset <= reg.GPFSEL5; offset += 4) expect(gpio.read32(offset)).toBe(0);
      for (const pair of [reg.GPEDS0, reg.GPREN0, reg.GPFEN0, reg.GPHEN0, reg.GPLEN0, reg.GPAREN0, reg.GPAFEN0]) {
        expect([gpio.read32(pair), gpio.read32(pair + 4)]).toEqual([0, 0]);
      }
      expect(warnings).toEqual([]);
    });

    it('pulls lines 0-8 and 34-36 up and reads the others low', () => {
      expect(gpio.read32(reg.GPLEV0)).toBe(0x1ff);
      expect(gpio.read32(reg.GPLEV1)).toBe(0x1c);
    });

    it('pulls lines 9-27, 30-33 and 37-45 down and lets 28, 29 and 46-53 float', () => {
      const down: number[] = [];
      for (let line = 0; line < reg.BCM2835_GPIO_LINES; line++) {
        gpio.drive(line, 1);
        gpio.drive(line, 'float');
        if (gpio.level(line) === 0) down.push(line);
      }
      const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
      expect(down).toEqual([...range(9, 27), ...range(30, 33), ...range(37, 45)]);
    });
  });

  describe('function select', () => {
    it('keeps three bits a line and drops those of lines that do not exist', () => {
      for (let offset = reg.GPFSEL0; offset <= reg.GPFSEL5; offset += 4) gpio.write32(offset, 0xffff_ffff);
      expect(gpio.read32(reg.GPFSEL0)).toBe(0x3fff_ffff);
      expect(gpio.read32(reg.GPFSEL5)).toBe(0x0fff);
    });

    it('drives a pad only while its function is output', () => {
      gpio.write32(reg.GPSET0, 1 << 17);
      expect(gpio.level(17)).toBe(0);
      makeOutput(17);
      expect(gpio.level(17)).toBe(1);
      for (const alt of [reg.FSEL_ALT0, reg.FSEL_ALT1, reg.FSEL_ALT2, reg.FSEL_ALT3, reg.FSEL_ALT4, reg.FSEL_ALT5]) {
        gpio.write32(reg.GPFSEL1, alt << 21);
        expect(gpio.level(17)).toBe(0);
      }
    });
  });

  describe('outputs', () => {
    it('set and clear the lines whose bits are written, and no others', () => {
      for (const line of [0, 4, 31, 32, 53]) makeOutput(line);
      gpio.write32(reg.GPCLR0, 0xffff_ffff);
      gpio.write32(reg.GPCLR1, 0xffff_ffff);
      gpio.write32(reg.GPSET0, 0x8000_0010);
      gpio.write32(reg.GPSET1, 0x0020_0001);
      expect([0, 4, 31, 32, 53].map((line) => gpio.level(line))).toEqual([0, 1, 1, 1, 1]);
      gpio.write32(reg.GPCLR0, 0x8000_0000);
      gpio.write32(reg.GPSET0, 0);
      expect([4, 31].map((line) => gpio.level(line))).toEqual([1, 0]);
      expect((gpio.read32(reg.GPLEV0) & 0x8000_0011) >>> 0).toBe(0x10);
    });

    it('warn of a short circuit once and show what the board forces', () => {
      makeOutput(4);
      gpio.write32(reg.GPSET0, 1 << 4);
      gpio.drive(4, 0);
      gpio.write32(reg.GPSET0, 1 << 4);
      expect(gpio.level(4)).toBe(0);
      expect(warnings).toEqual(['GPIO: short circuit on GPIO4: the output is high, the board drives the other level']);
      gpio.drive(4, 'float');
      expect(gpio.level(4)).toBe(1);
    });
  });

  describe('pads', () => {
    it("follow the board's pull against the chip's own", () => {
      gpio.setBoardPull(17, 'up');
      expect(gpio.level(17)).toBe(1);
      gpio.drive(17, 0);
      expect(gpio.level(17)).toBe(0);
      gpio.drive(17, 'float');
      expect(gpio.level(17)).toBe(1);
      gpio.setBoardPull(17, 'none');
      expect(gpio.level(17)).toBe(0);
    });

    it('keep their level when nothing holds them', () => {
      gpio.drive(46, 1);
      gpio.drive(46, 'float');
      expect(gpio.level(46)).toBe(1);
    });

    it('tell a listener the present state, then each change of level or drive', () => {
      const heard: [PadLevel, boolean][] = [];
      const stop = gpio.onPad(4, (level, driven) => heard.push([level, driven]));
      gpio.write32(reg.GPSET0, 1 << 4);
      makeOutput(4);
      gpio.write32(reg.GPCLR0, 1 << 4);
      gpio.write32(reg.GPCLR0, 1 << 4);
      stop();
      gpio.write32(reg.GPSET0, 1 << 4);
      expect(heard).toEqual([
        [1, false],
        [1, true],
        [0, true],
      ]);
    });

    it('tell all listeners changes in the same order when one of them drives a pad', () => {
      const second: PadLevel[] = [];
      gpio.onPad(20, (level) => {
        gpio.drive(21, level);
        if (level === 1) gpio.drive(20, 0);
      });
      gpio.onPad(20, (level) => second.push(level));
      gpio.drive(20, 1);
      expect(second).toEqual([0, 1, 0]);
      expect(gpio.level(21)).toBe(0);
    });

    it('are told once for each time that a listener was added, until just that one is taken away', () => {
      let calls = 0;
      const listener = (): void => void calls++;
      const stop = gpio.onPad(20, listener);
      gpio.onPad(20, listener);
      stop();
      stop();
      gpio.drive(20, 1);
      expect(calls).toBe(3);
    });

    it('raise their interrupt whatever their listeners throw', () => {
      gpio.write32(reg.GPAREN0, 1 << 20);
      gpio.onPad(20, (level) => {
        if (level === 1) throw new Error('no');
      });
      expect(() => gpio.drive(20, 1)).toThrow('no');
      expect(irqs).toEqual([
        [0, true],
        [3, true],
      ]);
    });

    it('refuse a line that does not exist', () => {
      for (const line of [-1, 54, 1.5, Number.NaN]) {
        expect(() => gpio.drive(line, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
        expect(() => gpio.level(line)).toThrow(/no such line/);
      }
    });
  });

  describe('wrong accesses', () => {
    it('read 0 and warn with the address', () => {
      for (const offset of [0x18, 0x24, 0x30, 0x3c, 0x48, 0x54, 0x60, 0x6c, 0x78, 0x84, 0x90, 0xa0, 0xb0, 0x200]) {
        warnings.length = 0;
        expect(gpio.read32(offset)).toBe(0);
        gpio.write32(offset, 0xffff_ffff);
        const address = (0x2020_0000 + offset).toString(16);
        expect(warnings).toEqual([
          `GPIO: read of unmapped register 0x${address}`,
          `GPIO: write to unmapped register 0x${address}`,
        ]);
      }
    });

    it('name misaligned, write-only and read-only registers as such', () => {
      gpio.read32(reg.GPLEV0 + 1);
      gpio.write32(reg.GPFSEL0 + 2, 1);
      gpio.read32(reg.GPSET1);
      gpio.write32(reg.GPLEV0, 1);
      expect(warnings).toEqual([
        'GPIO: misaligned read of register 0x20200035',
        'GPIO: misaligned write to register 0x20200002',
        'GPIO: read of write-only register 0x20200020',
        'GPIO: write to read-only register 0x20200034',
      ]);
      expect(gpio.read32(reg.GPFSEL0)).toBe(0);
    });
  });
});
