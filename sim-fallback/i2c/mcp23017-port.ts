// One of the two 8-bit ports of an MCP23017: its registers, and what makes its interrupt.
import type { GpioBank } from '../bcm2835/gpio-bank.js';

// Registers of a port, in the order of their addresses.
export const IODIR = 0x0; // 1: input
export const IPOL = 0x1; // 1: GPIO shows the pin inverted
export const GPINTEN = 0x2; // 1: the pin can interrupt
export const DEFVAL = 0x3; // what a pin is compared with
export const INTCON = 0x4; // 1: compare with DEFVAL, 0: with the value before
export const IOCON = 0x5; // of the whole chip
export const GPPU = 0x6; // 1: pull-up of 100 kΩ
export const INTF = 0x7; // which pin interrupted; read only
export const INTCAP = 0x8; // the port when it did; read only
export const GPIO = 0x9; // the pins; writes go to OLAT
export const OLAT = 0xa; // output latch
/** Registers of a port. */
export const PORT_REGISTERS = 0xb;

const PINS = 0xff;

/**
 * Eight pins of `pads`, from bit `shift` on. Direction, latch and pull-ups are the pads' own; {@link update} is called when any
 * pad may have changed.
 *
 * The first change that is enabled copies the port to INTCAP; further ones leave no trace until INTCAP or GPIO is read. A pin
 * that is compared with DEFVAL interrupts again at once when it still differs then.
 */
export class Mcp23017Port {
  readonly #pads: GpioBank;
  readonly #shift: number;
  #ipol = 0;
  #gpinten = 0;
  #defval = 0;
  #intcon = 0;
  #intf = 0;
  #intcap = 0;
  #before: number;

  /** As after reset: inputs without pulls and without interrupts. */
  constructor(pads: GpioBank, shift: 0 | 8) {
    this.#pads = pads;
    this.#shift = shift;
    this.#before = this.#value;
  }

  /** An interrupt of this port waits for INTCAP or GPIO to be read. */
  get interrupting(): boolean {
    return this.#intf !== 0;
  }

  /** Reads a register but IOCON. */
  read(register: number): number {
    switch (register) {
      case IODIR:
        return ~(this.#pads.outputEnable >> this.#shift) & PINS;
      case IPOL:
        return this.#ipol;
      case GPINTEN:
        return this.#gpinten;
      case DEFVAL:
        return this.#defval;
      case INTCON:
        return this.#intcon;
      case GPPU:
        return (this.#pads.pullUp >> this.#shift) & PINS;
      case INTF:
        return this.#intf;
      case INTCAP:
        return this.#clear(this.#intcap);
      case GPIO:
        return this.#clear(this.#value);
      case OLAT:
        return (this.#pads.output >> this.#shift) & PINS;
      default:
        return 0;
    }
  }

  /** Writes a register but IOCON; what is read only keeps its value. The pads are to be resolved after it. */
  write(register: number, value: number): void {
    const pads = this.#pads;
    switch (register) {
      case IODIR:
        pads.outputEnable = this.#into(pads.outputEnable, ~value & PINS);
        break;
      case IPOL:
        this.#ipol = value;
        break;
      case GPINTEN:
        this.#gpinten = value;
        break;
      case DEFVAL:
        this.#defval = value;
        break;
      case INTCON:
        this.#intcon = value;
        break;
      case GPPU:
        pads.pullUp = this.#into(pads.pullUp, value);
        break;
      case GPIO:
      case OLAT:
        pads.output = this.#into(pads.output, value);
        break;
    }
  }

  /** Looks at the pins, and latches an interrupt if there is a reason and none is latched. */
  update(): void {
    const value = this.#value;
    const changed = value ^ this.#before;
    this.#before = value;
    const reasons = this.#gpinten & ((changed & ~this.#intcon) | ((value ^ this.#defval) & this.#intcon));
    if (reasons === 0 || this.#intf !== 0) return;
    this.#intf = reasons;
    this.#intcap = value;
  }

  get #value(): number {
    return ((this.#pads.level >> this.#shift) & PINS) ^ this.#ipol;
  }

  #clear(answer: number): number {
    this.#intf = 0;
    this.update();
    return answer;
  }

  #into(word: number, byte: number): number {
    return (word & ~(PINS << this.#shift)) | (byte << this.#shift);
  }
}
