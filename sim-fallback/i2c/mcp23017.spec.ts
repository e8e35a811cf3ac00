// The expander by its data sheet: addresses, pins, and what its interrupt outputs do.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PadDrive } from '../bcm2835/pads.js';
import {
  IOCON_BANK,
  IOCON_INTPOL,
  IOCON_MIRROR,
  IOCON_ODR,
  IOCON_SEQOP,
  MCP23017_ADDRESS,
  Mcp23017,
} from './mcp23017.js';
import { DEFVAL, GPINTEN, GPIO, GPPU, INTCAP, INTCON, INTF, IOCON, IODIR, IPOL, OLAT } from './mcp23017-port.js';

type Port = 'A' | 'B';

describe('Mcp23017', () => {
  let chip: Mcp23017;
  let ints: [Port, PadDrive][];
  let warnings: string[];

  beforeEach(() => {
    ints = [];
    warnings = [];
    chip = new Mcp23017({
      onInt: (output, drive) => ints.push([output, drive]),
      warn: (message) => warnings.push(message),
    });
  });

  const send = (address: number, ...bytes: number[]): void => {
    chip.start(false);
    for (const byte of [address, ...bytes]) expect(chip.write(byte)).toBe(true);
  };
  const receive = (address: number, length: number): number[] => {
    send(address);
    chip.start(true);
    return Array.from({ length }, () => chip.read());
  };
  const at = (register: number, port: Port): number => 2 * register + (port === 'A' ? 0 : 1);
  const set = (register: number, port: Port, value: number): void => send(at(register, port), value);
  const get = (register: number, port: Port): number => receive(at(register, port), 1)[0] ?? -1;
  const intOf = (output: Port): PadDrive | undefined => ints.findLast(([which]) => which === output)?.[1];

  describe('after power-up', () => {
    it('is at 0x20, all pins inputs, all else 0', () => {
      expect(chip.address).toBe(MCP23017_ADDRESS);
      expect(receive(0, 22)).toEqual([0xff, 0xff, ...new Array(20).fill(0)]);
    });

    it('holds both interrupt outputs high', () => {
      expect(ints).toEqual([
        ['A', 1],
        ['B', 1],
      ]);
    });
  });

  describe('addresses', () => {
    it('alternate between the ports, and roll over behind the last', () => {
      send(at(GPPU, 'A'), 0x11, 0x22);
      expect(receive(at(GPPU, 'A'), 2)).toEqual([0x11, 0x22]);
      send(at(OLAT, 'B'), 0x33, 0x44);
      expect([get(OLAT, 'B'), get(IODIR, 'A')]).toEqual([0x33, 0x44]);
    });

    it('follow port by port with IOCON.BANK', () => {
      send(at(IOCON, 'A'), IOCON_BANK);
      send(GPPU, 0x11);
      send(0x10 + GPPU, 0x22);
      expect(receive(GPPU, 1)).toEqual([0x11]);
      expect(receive(0x10 + GPPU, 1)).toEqual([0x22]);
      expect(receive(0x10 + IOCON, 1)).toEqual([IOCON_BANK]);
      send(0x10 + OLAT, 0x55, 0x66);
      expect(receive(0x10 + OLAT, 2)).toEqual([0x55, 0x66]);
      expect(receive(IODIR, 1)).toEqual([0x66]);
    });

    it('stay with IOCON.SEQOP: on the pair of registers, or with BANK on the one', () => {
      send(at(GPPU, 'A'), 0x11, 0x22);
      set(IOCON, 'B', IOCON_SEQOP);
      expect(receive(at(GPPU, 'B'), 3)).toEqual([0x22, 0x11, 0x22]);
      set(IOCON, 'A', IOCON_SEQOP | IOCON_BANK);
      expect(receive(GPPU, 3)).toEqual([0x11, 0x11, 0x11]);
    });

    it('without a register read as 0 and take nothing', () => {
      send(0x40, 0xff);
      expect(receive(0x40, 1)).toEqual([0]);
      send(at(IOCON, 'A'), IOCON_BANK);
      send(0x0d, 0xff);
      expect(receive(0x0d, 1)).toEqual([0]);
    });

    it('of registers that are read only take nothing, and the lowest bit of IOCON is not there', () => {
      set(INTF, 'A', 0xff);
      set(INTCAP, 'A', 0xff);
      set(IOCON, 'A', 0x01);
      expect([get(INTF, 'A'), get(INTCAP, 'A'), get(IOCON, 'B')]).toEqual([0, 0, 0]);
    });
  });

  describe('pins', () => {
    it('are driven by the latch when they are outputs, which GPIO writes too', () => {
      set(GPIO, 'B', 0x81);
      expect([chip.level(8), chip.level(15)]).toEqual([0, 0]);
      set(IODIR, 'B', 0x7f);
      expect([chip.level(8), chip.level(15), get(GPIO, 'B'), get(OLAT, 'B')]).toEqual([0, 1, 0x80, 0x81]);
    });

    it('are pulled up by the chip, more strongly by the board, and driven by who drives them', () => {
      set(GPPU, 'A', 0x03);
      chip.setBoardPull(1, 'down');
      expect(get(GPIO, 'A')).toBe(0x01);
      chip.drive(0, 0);
      chip.drive(7, 1);
      expect(get(GPIO, 'A')).toBe(0x80);
      chip.drive(0, 'float');
      chip.setBoardPull(1, 'up');
      expect(get(GPIO, 'A')).toBe(0x83);
    });

    it('are read inverted with IPOL', () => {
      chip.drive(2, 1);
      set(IPOL, 'A', 0x0c);
      expect(get(GPIO, 'A')).toBe(0x08);
    });

    it('tell listeners of what changes, and the log of a short circuit', () => {
      const seen: unknown[] = [];
      const end = chip.onPad(9, (level, driven) => seen.push([level, driven]));
      set(IODIR, 'B', 0xfd);
      set(OLAT, 'B', 0x02);
      chip.drive(9, 0);
      end();
      chip.drive(9, 'float');
      expect(seen).toEqual([
        [0, false],
        [0, true],
        [1, true],
        [0, true],
      ]);
      expect(warnings).toEqual([
        'MCP23017 0x20: GPIO: short circuit on GPIO9: the output is high, the board drives the other level',
      ]);
    });

    it('are 16: EINVAL for others', () => {
      for (const pin of [-1, 16, 0.5]) {
        expect(() => chip.drive(pin, 1)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
        expect(() => chip.level(pin)).toThrow(`MCP23017: no pin ${pin}`);
      }
    });
  });

  describe('an interrupt on change', () => {
    beforeEach(() => set(GPINTEN, 'A', 0x0f));

    it('names its pin, captures the port and pulls the output of its port low', () => {
      chip.drive(6, 1);
      chip.drive(2, 1);
      expect([get(INTF, 'A'), intOf('A'), intOf('B')]).toEqual([0x04, 0, 1]);
      chip.drive(2, 0);
      expect(get(INTF, 'A')).toBe(0x04);
      expect(get(INTCAP, 'A')).toBe(0x44);
      expect([get(INTF, 'A'), intOf('A')]).toEqual([0, 1]);
    });

    it('is the first one only, until GPIO or INTCAP of its port is read', () => {
      chip.drive(0, 1);
      chip.drive(1, 1);
      get(GPIO, 'B');
      get(INTCAP, 'B');
      expect([get(INTF, 'A'), intOf('A')]).toEqual([0x01, 0]);
      expect(get(GPIO, 'A')).toBe(0x03);
      expect(intOf('A')).toBe(1);
      chip.drive(1, 0);
      expect([get(INTF, 'A'), get(INTCAP, 'A')]).toEqual([0x02, 0x01]);
    });

    it('comes of both edges, and of no pin that is not enabled', () => {
      chip.drive(4, 1);
      expect(intOf('A')).toBe(1);
      chip.drive(3, 1);
      get(GPIO, 'A');
      chip.drive(3, 0);
      expect([get(INTF, 'A'), intOf('A')]).toEqual([0x08, 0]);
    });
  });

  describe('an interrupt on a difference from DEFVAL', () => {
    it('comes again after each read, until the pin has gone back or is not enabled any more', () => {
      chip.setBoardPull(13, 'up');
      set(DEFVAL, 'B', 0x20);
      set(INTCON, 'B', 0x20);
      set(GPINTEN, 'B', 0x20);
      expect(intOf('B')).toBe(1);
      chip.drive(13, 0);
      expect([get(INTCAP, 'B'), get(GPIO, 'B'), get(INTF, 'B'), intOf('B')]).toEqual([0, 0, 0x20, 0]);
      chip.drive(13, 'float');
      expect(intOf('B'), 'latched').toBe(0);
      get(GPIO, 'B');
      expect(intOf('B')).toBe(1);
      chip.drive(13, 0);
      set(GPINTEN, 'B', 0);
      get(GPIO, 'B');
      expect([get(INTF, 'B'), intOf('B')]).toEqual([0, 1]);
    });

    it('is there at once when it is enabled on a pin that differs', () => {
      set(INTCON, 'A', 0x01);
      set(DEFVAL, 'A', 0x01);
      set(GPINTEN, 'A', 0x01);
      expect([get(INTF, 'A'), intOf('A')]).toEqual([0x01, 0]);
    });
  });

  describe('the interrupt outputs', () => {
    const press = (pin: number): void => {
      set(GPINTEN, pin < 8 ? 'A' : 'B', 1 << (pin & 7));
      chip.drive(pin, 1);
    };

    it('are active high with INTPOL', () => {
      set(IOCON, 'A', IOCON_INTPOL);
      expect([intOf('A'), intOf('B')]).toEqual([0, 0]);
      press(0);
      expect([intOf('A'), intOf('B')]).toEqual([1, 0]);
    });

    it('pull low or float with ODR, whatever INTPOL says', () => {
      set(IOCON, 'A', IOCON_ODR | IOCON_INTPOL);
      expect([intOf('A'), intOf('B')]).toEqual(['float', 'float']);
      press(8);
      expect([intOf('A'), intOf('B')]).toEqual(['float', 0]);
    });

    it('tell both of either port with MIRROR, until both are read', () => {
      set(IOCON, 'A', IOCON_MIRROR);
      press(0);
      press(8);
      expect([intOf('A'), intOf('B')]).toEqual([0, 0]);
      get(GPIO, 'A');
      expect([intOf('A'), intOf('B')]).toEqual([0, 0]);
      get(GPIO, 'B');
      expect([intOf('A'), intOf('B')]).toEqual([1, 1]);
    });
  });

  it('agrees with a plain model of one pin after the other, under any program', () => {
    const step = fc.oneof(
      fc.record({ pin: fc.nat(7), level: fc.constantFrom<0 | 1>(0, 1) }),
      fc.record({ register: fc.constantFrom(GPINTEN, DEFVAL, INTCON), value: fc.nat(255) }),
      fc.record({ read: fc.constantFrom(INTCAP, GPIO) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        chip = new Mcp23017({ onInt: (output, drive) => ints.push([output, drive]) });
        const pins = new Array<number>(8).fill(0);
        const registers = new Map([GPINTEN, DEFVAL, INTCON].map((register) => [register, 0]));
        const bit = (register: number, pin: number): number => ((registers.get(register) ?? 0) >> pin) & 1;
        const port = (): number => pins.reduce((sum, level, pin) => sum | (level << pin), 0);
        let flags = 0;
        let captured = 0;
        const look = (changed: number): void => {
          if (flags !== 0) return;
          for (let pin = 0; pin < 8; pin++) {
            const differs = bit(INTCON, pin) === 1 ? pins[pin] !== bit(DEFVAL, pin) : pin === changed;
            if (bit(GPINTEN, pin) === 1 && differs) flags |= 1 << pin;
          }
          if (flags !== 0) captured = port();
        };
        for (const what of steps) {
          if ('pin' in what) {
            const changed = pins[what.pin] !== what.level;
            pins[what.pin] = what.level;
            chip.drive(what.pin, what.level);
            look(changed ? what.pin : -1);
          } else if ('register' in what) {
            registers.set(what.register, what.value);
            set(what.register, 'A', what.value);
            look(-1);
          } else {
            expect(get(what.read, 'A')).toBe(what.read === GPIO ? port() : captured);
            flags = 0;
            look(-1);
          }
          expect(get(INTF, 'A')).toBe(flags);
          expect(intOf('A')).toBe(flags === 0 ? 1 : 0);
        }
      }),
      { numRuns: 300 },
    );
  });
});
