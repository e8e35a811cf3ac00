// The board on the chip: presses become edges, outputs become light.
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../kernel/time/clock.js';
import {
  Bcm2835Gpio,
  FSEL_OUTPUT,
  GPAFEN0,
  GPAREN0,
  GPCLR0,
  GPEDS0,
  GPFEN0,
  GPFSEL0,
  GPSET0,
} from '../bcm2835/gpio.js';
import { Board, type BoardDescription, LAB_BOARD } from './board.js';
import { BOUNCE_TRACE_MAX, drawBounces } from './bounce.js';
import { mulberry32 } from './prng.js';

const MS = 1_000_000;

describe('Board', () => {
  let clock: VirtualClock;
  let gpio: Bcm2835Gpio;
  let edges: [number, number][];

  beforeEach(() => {
    clock = new VirtualClock();
    edges = [];
    gpio = new Bcm2835Gpio({
      clock,
      warn: (message) => {
        throw new Error(message);
      },
      onBankIrq: (bank, asserted) => {
        if (bank !== 0 || !asserted) return;
        edges.push([gpio.read32(GPEDS0), clock.now()]);
        gpio.write32(GPEDS0, 0xffff_ffff);
      },
    });
  });

  const boardOf = (description: BoardDescription, seed = 1) => new Board(description, { clock, pads: gpio, seed });

  it('pulls an open button up and a press down', () => {
    const board = boardOf(LAB_BOARD);
    expect([gpio.level(17), gpio.level(18)]).toEqual([1, 1]);
    board.press('button1');
    expect([gpio.level(17), gpio.level(18)]).toEqual([0, 1]);
    board.release('button1');
    expect(gpio.level(17)).toBe(1);
  });

  it('turns a press into one falling and one rising event', () => {
    const board = boardOf(LAB_BOARD);
    gpio.write32(GPFEN0, 1 << 17);
    gpio.write32(GPAREN0, 1 << 17);
    clock.advance(MS);
    board.press('button1', { holdNs: 80 * MS });
    clock.advance(1000 * MS);
    expect(edges).toEqual([
      [1 << 17, MS + 8],
      [1 << 17, 81 * MS],
    ]);
  });

  it('has buttons to 3.3 V with a pull-down, and buttons that rely on the pull of the chip', () => {
    const board = boardOf({
      buttons: {
        high: { gpio: 15, pull: 'down' },
        bare: { gpio: 2, pull: 'none' },
        own: { gpio: 9, pull: 'none', to: '3v3' },
      },
    });
    const levels = () => [15, 2, 9].map((line) => gpio.level(line));
    expect(levels()).toEqual([0, 1, 0]);
    for (const name of ['high', 'bare', 'own']) board.press(name);
    expect(levels()).toEqual([1, 0, 1]);
  });

  it('lights the LED while its pad is driven high, not by the pull of reset', () => {
    const led = boardOf(LAB_BOARD).led('led1');
    expect(gpio.level(4)).toBe(1);
    expect(led.lit).toBe(false);
    gpio.write32(GPSET0, 1 << 4);
    gpio.write32(GPFSEL0, FSEL_OUTPUT << 12);
    expect(led.lit).toBe(true);
    gpio.write32(GPCLR0, 1 << 4);
    expect(led.lit).toBe(false);
    expect(led.changes).toBe(2);
  });

  it('bounces the same for the same seed, each button by its own sequence', () => {
    const run = (seed: number, button2First: boolean) => {
      edges = [];
      clock = new VirtualClock();
      const own = new Bcm2835Gpio({ clock, warn: () => {}, onBankIrq: () => {} });
      const trace: string[] = [];
      own.onPad(17, (level) => trace.push(`${clock.now()} ${level}`));
      const board = new Board(LAB_BOARD, { clock, pads: own, seed });
      if (button2First) board.press('button2', { holdNs: 1, bounce: true });
      board.press('button1', { holdNs: 50 * MS, bounce: true });
      clock.advance(100 * MS);
      return trace;
    };
    expect(run(1, false).length).toBeGreaterThan(4);
    expect(run(1, true)).toEqual(run(1, false));
    expect(run(2, false)).not.toEqual(run(1, false));
  });

  it('gives one edge for a bouncing press when the line is debounced, one period after the last bounce', () => {
    const board = boardOf(LAB_BOARD);
    let lastContact = 0;
    board.setDebounce(17, 5 * MS);
    gpio.write32(GPAFEN0, (1 << 17) | (1 << 18));
    const bounce = { maxBounces: 8, settleNs: 2 * MS };
    board.press('button1', { bounce });
    board.press('button2', { bounce });
    clock.advance(100 * MS);
    const events = (line: number) => edges.filter(([eds]) => eds & (1 << line));
    lastContact = (events(17)[0]?.[1] ?? 0) - 5 * MS;
    expect(events(17)).toHaveLength(1);
    expect(lastContact).toBeGreaterThanOrEqual(0);
    expect(lastContact).toBeLessThanOrEqual(2 * MS);
    expect(events(18).length).toBeGreaterThan(1);
  });

  it('lets a wire be held to any line', () => {
    const board = boardOf({});
    board.drive(46, 1);
    expect(gpio.level(46)).toBe(1);
  });

  it('has resistors where it is told, and nothing else at those lines', () => {
    boardOf({
      pulls: [
        { gpio: 22, pull: 'up' },
        { gpio: 5, pull: 'down' },
      ],
    });
    expect([gpio.level(22), gpio.level(5)]).toEqual([1, 0]);
  });

  it('carries the level of a driven line over a wire, and nothing when nobody drives it', () => {
    const board = boardOf({ wires: [{ from: 4, to: 22 }], pulls: [{ gpio: 22, pull: 'down' }] });
    gpio.write32(GPFSEL0, FSEL_OUTPUT << 12);
    gpio.write32(GPSET0, 1 << 4);
    expect(gpio.level(22)).toBe(1);
    gpio.write32(GPCLR0, 1 << 4);
    expect(gpio.level(22)).toBe(0);
    gpio.write32(GPSET0, 1 << 4);
    gpio.write32(GPFSEL0, 0);
    expect(gpio.level(22)).toBe(0);
    board.drive(4, 1);
    expect(gpio.level(22)).toBe(1);
  });

  it('holds a line to a level whatever drives it, and shows what drives it when it lets go', () => {
    const board = boardOf(LAB_BOARD);
    board.force(17, 1);
    board.press('button1');
    expect(gpio.level(17)).toBe(1);
    board.force(17, undefined);
    expect(gpio.level(17)).toBe(0);
    board.release('button1');
    expect(gpio.level(17)).toBe(1);
    expect(() => board.force(54, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('lets each button bounce in its own way, when a press does not say how', () => {
    const toggles = (bounce: { maxBounces: number; settleNs: number }): number[] => {
      clock = new VirtualClock();
      const own = new Bcm2835Gpio({ clock, warn: () => {}, onBankIrq: () => {} });
      const times: number[] = [];
      const board = new Board({ buttons: { b: { gpio: 17, bounce } } }, { clock, pads: own });
      own.onPad(17, () => times.push(clock.now()));
      for (let i = 0; i < 20; i++) {
        board.press('b', { holdNs: 50 * MS, bounce: true });
        clock.advance(100 * MS);
      }
      return times;
    };
    const gentle = toggles({ maxBounces: 1, settleNs: 0.1 * MS });
    // Told once at the start; then 20 presses and releases, each with one rebound.
    expect(gentle).toHaveLength(1 + 20 * 2 * 3);
    expect(Math.max(...gentle.slice(1).map((at) => at % (50 * MS)))).toBeLessThanOrEqual(0.1 * MS);
    expect(toggles({ maxBounces: 32, settleNs: 10 * MS }).length).toBeGreaterThan(5 * gentle.length);
    expect(() => boardOf({ buttons: { b: { gpio: 1, bounce: { maxBounces: 99 } } } })).toThrow('maxBounces 99');
  });

  it('spaces rebounds evenly, or ever closer, as it is told', () => {
    const lastToFirst = (spacing: number): number => {
      const trace = new Float64Array(BOUNCE_TRACE_MAX);
      const prng = mulberry32(3);
      let first = 0;
      let last = 0;
      for (let i = 0; i < 500; i++) {
        const n = drawBounces({ maxBounces: 32, settleNs: 10 * MS, spacing }, prng, trace);
        first += trace[0] ?? 0;
        last += (trace[n - 1] ?? 0) - (trace[n - 2] ?? 0);
      }
      return last / first;
    };
    expect(lastToFirst(1)).toBeCloseTo(1, 0);
    expect(lastToFirst(0.25)).toBeLessThan(0.5);
    expect(lastToFirst(0.1)).toBeLessThan(0.25);
    const settled = { maxBounces: 1, settleNs: MS, spacing: 2 };
    expect(() => boardOf({ buttons: { b: { gpio: 1, bounce: settled } } })).toThrow('spacing 2');
  });

  it('has other parts when it is told so, and those that stay are not touched', () => {
    const board = boardOf({ ...LAB_BOARD, pulls: [{ gpio: 22, pull: 'up' }] });
    const [button1, led1] = [board.buttons.get('button1'), board.led('led1')];
    board.press('button1');
    board.press('button2');
    const leds = { led1: { gpio: 4 }, led2: { gpio: 5 } };
    board.replace({ buttons: { bell: { gpio: 18, pull: 'down' }, button1: { pull: 'up', gpio: 17 } }, leds });
    expect([board.buttons.get('button1') === button1, board.led('led1') === led1]).toEqual([true, true]);
    expect([...board.buttons.keys(), ...board.leds.keys()]).toEqual(['button1', 'bell', 'led1', 'led2']);
    expect([17, 18, 22].map((line) => gpio.level(line))).toEqual([0, 0, 1]);
    board.press('bell');
    gpio.write32(GPFSEL0, FSEL_OUTPUT << 15);
    gpio.write32(GPSET0, 1 << 5);
    expect([gpio.level(18), board.led('led2').lit]).toEqual([1, true]);
    board.replace({ buttons: { bell: { gpio: 18 } }, leds: {} });
    expect(gpio.level(18)).toBe(1);
    expect(() => board.press('button1')).toThrow(/no button "button1"/);
    const twice = { one: { gpio: 18 }, two: { gpio: 18 } };
    expect(() => board.replace({ buttons: twice })).toThrow(/two and one are both on GPIO18/);
    board.press('bell');
    expect(gpio.level(18)).toBe(0);
  });

  it('refuses a wire to a line that a part of the board drives, and a wire in a circle', () => {
    const broken: [BoardDescription, string][] = [
      [
        { buttons: { button1: { gpio: 17 } }, wires: [{ from: 4, to: 17 }] },
        'a wire from GPIO4 and button1 are both on GPIO17',
      ],
      [
        {
          wires: [
            { from: 4, to: 5 },
            { from: 6, to: 5 },
          ],
        },
        'a wire from GPIO6 and a wire from GPIO4 are both on GPIO5',
      ],
      [
        {
          wires: [
            { from: 4, to: 5 },
            { from: 5, to: 4 },
          ],
        },
        'wires go in a circle: GPIO4',
      ],
      [{ wires: [{ from: 4, to: 4 }] }, 'wires go in a circle: GPIO4'],
      [{ wires: [{ from: 99, to: 4 }] }, 'a wire from GPIO99: the chip has no GPIO99'],
      [{ pulls: [{ gpio: 54, pull: 'up' }] }, 'a resistor: the chip has no GPIO54'],
    ];
    for (const [description, message] of broken) {
      expect(() => boardOf(description)).toThrow(expect.objectContaining({ code: 'EINVAL', message }));
    }
  });

  it('refuses descriptions that cannot be built, naming the part', () => {
    const broken: [BoardDescription, string][] = [
      [{ buttons: { button1: { gpio: 54 } } }, 'button1: the chip has no GPIO54'],
      [{ leds: { led1: { gpio: -1 } } }, 'led1: the chip has no GPIO-1'],
      [{ buttons: { button1: { gpio: 4 } }, leds: { led1: { gpio: 4 } } }, 'led1 and button1 are both on GPIO4'],
    ];
    for (const [description, message] of broken) {
      expect(() => boardOf(description)).toThrow(expect.objectContaining({ code: 'EINVAL', message }));
    }
  });

  it('names what there is when asked for what there is not', () => {
    const board = boardOf(LAB_BOARD);
    expect(() => board.press('button3')).toThrow(
      expect.objectContaining({ code: 'ENOENT', hint: 'the board has: button1, button2' }),
    );
    expect(() => board.led('button1')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => boardOf({}).release('x')).toThrow(expect.objectContaining({ hint: 'the board has no buttons' }));
    expect(() => board.drive(54, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => board.setDebounce(-1, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});
