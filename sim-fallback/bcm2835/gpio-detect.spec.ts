// The event detectors of the GPIO block: what GPEDS latches, when, and what the bank interrupts make of it.
import { beforeEach, describe, expect, it } from 'vitest';
import * as reg from './gpio.js';
import { gpioRig } from './gpio.spec-helper.js';

const LINE = 17;
const BIT = 1 << LINE;
/** Long enough for a synchronous edge: two samples. */
const SEEN_NS = 2 * reg.SAMPLE_NS;

describe('GPIO event detection', () => {
  let { clock, gpio, irqs } = gpioRig();
  const events = () => gpio.read32(reg.GPEDS0);
  const clear = () => gpio.write32(reg.GPEDS0, 0xffff_ffff);

  beforeEach(() => {
    ({ clock, gpio, irqs } = gpioRig());
  });

  describe('at power-up', () => {
    it('a pull resistor of the board gives the pad its level without an edge', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.setBoardPull(LINE, 'up');
      clock.advance(1000);
      expect([gpio.level(LINE), events()]).toEqual([1, 0]);
    });

    it('a press is a falling edge, and takes nothing from the lines around it', () => {
      gpio.write32(reg.GPFEN0, BIT | (1 << 20));
      gpio.setBoardPull(LINE, 'up');
      gpio.drive(LINE, 0);
      gpio.setBoardPull(20, 'up');
      clock.advance(SEEN_NS);
      expect(events()).toBe(BIT);
    });

    it('is over after the first tick: a resistor that is put in later is a rising edge', () => {
      gpio.write32(reg.GPREN0, BIT);
      clock.advance(reg.SAMPLE_NS);
      gpio.setBoardPull(LINE, 'up');
      clock.advance(SEEN_NS);
      expect(events()).toBe(BIT);
    });
  });

  describe('synchronous edges', () => {
    it('are latched when two samples in a row met the new level', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.drive(LINE, 1);
      clock.advance(SEEN_NS - 1);
      expect(events()).toBe(0);
      clock.advance(1);
      expect(events()).toBe(BIT);
    });

    it('raise the interrupt at the tick that latches them, without any access', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.write32(reg.GPFEN0, BIT);
      clock.advance(101);
      gpio.drive(LINE, 1);
      let raisedAt = 0;
      const alarm = clock.createAlarm(() => {
        if (irqs.length > 0 && raisedAt === 0) raisedAt = clock.now();
        if (clock.now() < 120) alarm.schedule(clock.now() + 1);
      });
      alarm.schedule(clock.now());
      clock.advance(100);
      expect(raisedAt).toBe(108);
    });

    it('raise the interrupt in time when there was an access between the two samples', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.drive(LINE, 1);
      clock.advance(5);
      gpio.drive(20, 1);
      clock.advance(SEEN_NS - 5);
      expect(irqs).toContainEqual([0, true]);
    });

    it('rising enables see only rising edges, falling ones only falling edges', () => {
      gpio.write32(reg.GPREN0, 1 << 20);
      gpio.write32(reg.GPFEN0, 1 << 21);
      for (const level of [1, 0] as const) {
        gpio.drive(20, level);
        gpio.drive(21, level);
        clock.advance(SEEN_NS);
        expect(events()).toBe(level === 1 ? 1 << 20 : 1 << 21);
        clear();
      }
    });

    it("two edges closer than the detector's clock are one", () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.write32(reg.GPFEN0, BIT);
      gpio.drive(LINE, 1);
      clock.advance(SEEN_NS);
      clear();
      clock.advance(1);
      gpio.drive(LINE, 0);
      clock.advance(reg.SAMPLE_NS - 2);
      gpio.drive(LINE, 1);
      clock.advance(1000);
      expect(events()).toBe(0);
    });

    it('a pulse that a single sample meets is not seen', () => {
      gpio.write32(reg.GPREN0, BIT);
      clock.advance(3);
      gpio.drive(LINE, 1);
      clock.advance(reg.SAMPLE_NS);
      gpio.drive(LINE, 0);
      clock.advance(1000);
      expect(events()).toBe(0);
    });

    it('a second edge before the first was cleared leaves no trace of its own', () => {
      gpio.write32(reg.GPREN0, BIT);
      for (const level of [1, 0, 1, 0] as const) {
        gpio.drive(LINE, level);
        clock.advance(100);
      }
      expect(events()).toBe(BIT);
      clear();
      clock.advance(100);
      expect(events()).toBe(0);
      expect(irqs.filter(([bank]) => bank === 0)).toEqual([
        [0, true],
        [0, false],
      ]);
    });
  });

  describe('asynchronous edges', () => {
    it('are latched however short the pulse', () => {
      gpio.write32(reg.GPAREN0, BIT);
      gpio.drive(LINE, 1);
      gpio.drive(LINE, 0);
      expect(events()).toBe(BIT);
    });

    it('rising enables see only rising edges, falling ones only falling edges', () => {
      gpio.write32(reg.GPAREN1, 1 << (50 - 32));
      gpio.write32(reg.GPAFEN1, 1 << (51 - 32));
      gpio.drive(50, 1);
      gpio.drive(51, 1);
      expect(gpio.read32(reg.GPEDS1)).toBe(1 << 18);
      gpio.write32(reg.GPEDS1, 1 << 18);
      gpio.drive(50, 0);
      gpio.drive(51, 0);
      expect(gpio.read32(reg.GPEDS1)).toBe(1 << 19);
    });
  });

  describe('levels', () => {
    it('set the status again at once while they hold', () => {
      gpio.write32(reg.GPHEN0, BIT);
      expect(events()).toBe(0);
      gpio.drive(LINE, 1);
      clear();
      expect(events()).toBe(BIT);
      gpio.drive(LINE, 0);
      expect(events()).toBe(BIT);
      clear();
      expect(events()).toBe(0);
      expect(irqs.filter(([bank]) => bank === 0)).toEqual([
        [0, true],
        [0, false],
      ]);
    });

    it('low detection sets the status as soon as it is enabled on a low line', () => {
      gpio.write32(reg.GPLEN0, BIT);
      expect(events()).toBe(BIT);
    });
  });

  describe('event status', () => {
    it('is cleared by writing 1 and left alone by writing 0', () => {
      gpio.write32(reg.GPAREN0, (1 << 10) | (1 << 11));
      gpio.drive(10, 1);
      gpio.drive(11, 1);
      gpio.write32(reg.GPEDS0, 0);
      expect(events()).toBe((1 << 10) | (1 << 11));
      gpio.write32(reg.GPEDS0, 1 << 10);
      expect(events()).toBe(1 << 11);
    });

    it('a GPEDS bit latched before the enables changed is stale', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.drive(LINE, 1);
      clock.advance(SEEN_NS);
      gpio.write32(reg.GPREN0, 0);
      clock.advance(1000);
      expect(events()).toBe(BIT);
      expect(irqs).toContainEqual([0, true]);
      expect(irqs).not.toContainEqual([0, false]);
      gpio.write32(reg.GPFEN0, BIT);
      expect(events()).toBe(BIT);
      clear();
      expect(events()).toBe(0);
    });

    it('clearing after the handler loses the edge that came in between, clearing before it does not', () => {
      gpio.write32(reg.GPREN0, BIT);
      const pulse = () => {
        for (const level of [1, 0] as const) {
          gpio.drive(LINE, level);
          clock.advance(100);
        }
      };
      pulse();
      pulse(); // while the handler of the first one runs
      clear();
      expect(events()).toBe(0);
      pulse();
      clear();
      pulse(); // while the handler runs
      expect(events()).toBe(BIT);
    });

    it('sees the edges of outputs too', () => {
      gpio.write32(reg.GPREN0, BIT);
      gpio.write32(reg.GPFSEL1, reg.FSEL_OUTPUT << 21);
      gpio.write32(reg.GPSET0, BIT);
      clock.advance(SEEN_NS);
      expect(events()).toBe(BIT);
    });
  });

  describe('bank interrupts', () => {
    it.each([
      [0, 0],
      [27, 0],
      [28, 1],
      [31, 1],
      [32, 1],
      [45, 1],
      [46, 2],
      [53, 2],
    ])('line %i raises bank %i and the one for all', (line, bank) => {
      gpio.drive(line, 0);
      gpio.write32(line < 32 ? reg.GPAREN0 : reg.GPAREN1, 1 << (line & 31));
      gpio.drive(line, 1);
      expect(irqs).toEqual([
        [bank, true],
        [3, true],
      ]);
      gpio.write32(line < 32 ? reg.GPEDS0 : reg.GPEDS1, 1 << (line & 31));
      expect(irqs.slice(2)).toEqual([
        [bank, false],
        [3, false],
      ]);
    });

    it('stay asserted until the last bit of the bank is cleared', () => {
      gpio.write32(reg.GPAREN0, (1 << 10) | (1 << 11));
      gpio.drive(10, 1);
      gpio.drive(11, 1);
      gpio.write32(reg.GPEDS0, 1 << 10);
      expect(irqs).toEqual([
        [0, true],
        [3, true],
      ]);
    });

    it('end at the right level when the callback itself clears the status', () => {
      const heard: [number, boolean][] = [];
      const own: reg.Bcm2835Gpio = new reg.Bcm2835Gpio({
        clock,
        warn: () => {},
        onBankIrq: (bank, asserted) => {
          heard.push([bank, asserted]);
          if (asserted) own.write32(reg.GPEDS0, BIT);
        },
      });
      own.write32(reg.GPAREN0, BIT);
      own.drive(LINE, 1);
      expect(heard).toEqual([
        [0, true],
        [0, false],
      ]);
    });
  });
});
