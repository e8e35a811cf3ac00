// The pull sequence over GPPUD and GPPUDCLK, with its wait times.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import { Bcm2835Gpio, GPAREN0, GPEDS0, GPLEV0, GPPUD, GPPUDCLK0, GPPUDCLK1 } from './gpio.js';
import { PULL_WAIT_NS } from './gpio-pull.js';

const OFF = 0;
const DOWN = 1;
const UP = 2;

describe('GPPUD sequence', () => {
  let clock: VirtualClock;
  let warnings: string[];
  let gpio: Bcm2835Gpio;

  beforeEach(() => {
    clock = new VirtualClock();
    warnings = [];
    gpio = new Bcm2835Gpio({ clock, warn: (message) => warnings.push(message), onBankIrq: () => {} });
  });

  const sequence = (pull: number, clockRegister: number, lines: number, setUp: number, hold: number) => {
    gpio.write32(GPPUD, pull);
    clock.advance(setUp);
    gpio.write32(clockRegister, lines);
    clock.advance(hold);
    gpio.write32(GPPUD, OFF);
    gpio.write32(clockRegister, 0);
  };

  it('gives the clocked lines their pull, and only those', () => {
    sequence(UP, GPPUDCLK0, (1 << 17) | (1 << 31), PULL_WAIT_NS, PULL_WAIT_NS);
    expect([16, 17, 18, 31].map((line) => gpio.level(line))).toEqual([0, 1, 0, 1]);
    sequence(DOWN, GPPUDCLK1, 1 << (34 - 32), PULL_WAIT_NS, PULL_WAIT_NS);
    expect([34, 35].map((line) => gpio.level(line))).toEqual([0, 1]);
    expect(warnings).toEqual([]);
  });

  it('works in the order of Linux too, which takes the clock away first and leaves GPPUD', () => {
    gpio.write32(GPPUD, UP);
    clock.advance(150_000);
    gpio.write32(GPPUDCLK0, 1 << 17);
    clock.advance(150_000);
    gpio.write32(GPPUDCLK0, 0);
    expect(gpio.level(17)).toBe(1);
    expect(gpio.read32(GPPUD)).toBe(UP);
    expect(warnings).toEqual([]);
  });

  it('needs no wait after GPPUD is written with the value that it has', () => {
    gpio.write32(GPPUD, UP);
    clock.advance(PULL_WAIT_NS);
    gpio.write32(GPPUD, UP);
    gpio.write32(GPPUDCLK0, 1 << 17);
    clock.advance(PULL_WAIT_NS);
    expect(gpio.level(17)).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('turns a pull off: the pad keeps its level', () => {
    sequence(OFF, GPPUDCLK0, 1 << 2, PULL_WAIT_NS, PULL_WAIT_NS);
    expect(gpio.level(2)).toBe(1);
    gpio.drive(2, 0);
    gpio.drive(2, 'float');
    expect(gpio.level(2)).toBe(0);
  });

  it('takes effect when the hold time ends, as an edge that detectors see', () => {
    gpio.write32(GPAREN0, 1 << 17);
    gpio.write32(GPPUD, UP);
    clock.advance(PULL_WAIT_NS);
    gpio.write32(GPPUDCLK0, 1 << 17);
    clock.advance(PULL_WAIT_NS - 1);
    expect(gpio.read32(GPLEV0) & (1 << 17)).toBe(0);
    clock.advance(1);
    expect(gpio.read32(GPLEV0) & (1 << 17)).toBe(1 << 17);
    expect(gpio.read32(GPEDS0)).toBe(1 << 17);
  });

  it('reads back the registers, but not the pull', () => {
    gpio.write32(GPPUD, 0xffff_fffe);
    clock.advance(PULL_WAIT_NS);
    gpio.write32(GPPUDCLK1, 0xffff_ffff);
    expect(gpio.read32(GPPUD)).toBe(UP);
    expect(gpio.read32(GPPUDCLK1)).toBe(0x003f_ffff);
  });

  it('warns when the set-up time is cut, and leaves the pull', () => {
    sequence(UP, GPPUDCLK0, 1 << 17, PULL_WAIT_NS - 1, PULL_WAIT_NS);
    expect(gpio.level(17)).toBe(0);
    expect(warnings).toEqual([
      'GPIO: GPIO17: clocked 599 ns after GPPUD changed, set-up is 600 ns; the pull stays as it was',
    ]);
  });

  it('warns when the hold time is cut by GPPUD, and leaves the pull', () => {
    sequence(UP, GPPUDCLK0, 1 << 17, PULL_WAIT_NS, PULL_WAIT_NS - 1);
    expect(gpio.level(17)).toBe(0);
    expect(warnings).toEqual([
      'GPIO: GPIO17: GPPUD changed 599 ns after the clock, hold is 600 ns; the pull stays as it was',
    ]);
  });

  it('warns when the hold time is cut by GPPUDCLK, for the lines that were taken away only', () => {
    gpio.write32(GPPUD, UP);
    clock.advance(PULL_WAIT_NS);
    gpio.write32(GPPUDCLK0, (1 << 17) | (1 << 18));
    clock.advance(10);
    gpio.write32(GPPUDCLK0, 1 << 18);
    clock.advance(PULL_WAIT_NS);
    expect([17, 18].map((line) => gpio.level(line))).toEqual([0, 1]);
    expect(warnings).toEqual([
      'GPIO: GPIO17: GPPUDCLK removed 10 ns after the clock, hold is 600 ns; the pull stays as it was',
    ]);
  });

  it('warns of the reserved control value', () => {
    sequence(3, GPPUDCLK0, 1 << 17, PULL_WAIT_NS, PULL_WAIT_NS);
    expect(warnings).toEqual(['GPIO: GPIO17: clocked with the reserved GPPUD value 3; the pull stays as it was']);
  });
});
