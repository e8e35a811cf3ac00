// The MCP23017, a 16-bit GPIO expander on I2C (Microchip, data sheet DS20001952): its registers, pins and interrupt outputs.
import { KernelError } from '../../kernel/errno.js';
import { GpioBank } from '../bcm2835/gpio-bank.js';
import { PadNotices } from '../bcm2835/pad-notices.js';
import type { BoardPull, PadDrive, PadLevel, PadListener, Pads } from '../bcm2835/pads.js';
import type { I2cDevice } from './bus.js';
import { IOCON, Mcp23017Port, PORT_REGISTERS } from './mcp23017-port.js';

// Bits of IOCON.
export const IOCON_BANK = 1 << 7; // the registers of port B follow those of port A, from 0x10 on; else they alternate
export const IOCON_MIRROR = 1 << 6; // both interrupt outputs tell of both ports
export const IOCON_SEQOP = 1 << 5; // the address does not move on to the next register
export const IOCON_DISSLW = 1 << 4; // no slew rate control on SDA
export const IOCON_HAEN = 1 << 3; // address pins enabled, on the chip with SPI; they always are here
export const IOCON_ODR = 1 << 2; // interrupt outputs are open drain
export const IOCON_INTPOL = 1 << 1; // interrupt outputs are active high
const IOCON_BITS = 0xfe;

/** Pins: 0-7 are GPA0 to GPA7, 8-15 are GPB0 to GPB7. */
export const MCP23017_PINS = 16;
/** The address with all address pins low; they add 0 to 7. */
export const MCP23017_ADDRESS = 0x20;

/** The last address with IOCON.BANK, in which the ports are 0x10 apart. */
const BANKED_LAST = 0x1a;
const BANKED_PORT = 0x10;

/** What the chip needs from its surroundings. */
export interface Mcp23017Options {
  /** Default {@link MCP23017_ADDRESS}. */
  readonly address?: number;
  /** Interrupt outputs: what each puts on its wire, at power-up and whenever that changes. */
  readonly onInt?: (output: 'A' | 'B', drive: PadDrive) => void;
  /** Told of short circuits. */
  readonly warn?: (message: string) => void;
}

/**
 * The chip from power-up on, with the bus on one side and its {@link Pads} on the other. An address where no register is reads
 * as 0 and takes nothing.
 */
export class Mcp23017 implements I2cDevice, Pads {
  readonly address: number;
  readonly lines = MCP23017_PINS;
  readonly #onInt: (output: 'A' | 'B', drive: PadDrive) => void;
  readonly #warn: (message: string) => void;
  readonly #pads = new GpioBank(0xffff, 0, 0);
  readonly #told = new PadNotices(this.#pads);
  readonly #portA = new Mcp23017Port(this.#pads, 0);
  readonly #portB = new Mcp23017Port(this.#pads, 8);
  #iocon = 0;
  #pointer = 0;
  /** The next byte that is written is the address of a register. */
  #addressed = false;
  #intA: PadDrive = 1;
  #intB: PadDrive = 1;
  #telling = false;

  constructor(options: Mcp23017Options = {}) {
    const { address = MCP23017_ADDRESS, onInt = () => undefined, warn = () => undefined } = options;
    this.address = address;
    this.#onInt = onInt;
    this.#warn = (message) => warn(`MCP23017 0x${address.toString(16)}: ${message}`);
    onInt('A', this.#intA);
    onInt('B', this.#intB);
  }

  start(reading: boolean): void {
    this.#addressed = !reading;
  }

  write(byte: number): boolean {
    if (this.#addressed) {
      this.#addressed = false;
      this.#pointer = byte;
      return true;
    }
    const register = this.#register;
    if (register === IOCON) this.#iocon = byte & IOCON_BITS;
    else this.#port.write(register, byte);
    this.#movePointer();
    this.#propagate();
    return true;
  }

  read(): number {
    const register = this.#register;
    const value = register === IOCON ? this.#iocon : this.#port.read(register);
    this.#movePointer();
    this.#propagate();
    return value;
  }

  drive(line: number, value: PadDrive): void {
    const bit = bitOf(line);
    const pads = this.#pads;
    pads.driven = value === 'float' ? pads.driven & ~bit : pads.driven | bit;
    pads.drivenLevel = value === 1 ? pads.drivenLevel | bit : pads.drivenLevel & ~bit;
    this.#propagate();
  }

  setBoardPull(line: number, pull: BoardPull): void {
    const bit = bitOf(line);
    const pads = this.#pads;
    pads.boardPull = pull === 'none' ? pads.boardPull & ~bit : pads.boardPull | bit;
    pads.boardPullLevel = pull === 'up' ? pads.boardPullLevel | bit : pads.boardPullLevel & ~bit;
    this.#propagate();
  }

  level(line: number): PadLevel {
    return (this.#pads.level & bitOf(line)) === 0 ? 0 : 1;
  }

  onPad(line: number, listener: PadListener): () => void {
    bitOf(line);
    return this.#told.add(line, listener);
  }

  get #banked(): boolean {
    return (this.#iocon & IOCON_BANK) !== 0;
  }

  get #port(): Mcp23017Port {
    return (this.#pointer & (this.#banked ? BANKED_PORT : 1)) === 0 ? this.#portA : this.#portB;
  }

  /** The register that the address stands for; {@link PORT_REGISTERS} or more where there is none. */
  get #register(): number {
    if (!this.#banked) return this.#pointer >> 1;
    return this.#pointer <= BANKED_LAST ? this.#pointer & ~BANKED_PORT : PORT_REGISTERS;
  }

  /** To the next register, from the last to the first; with SEQOP to the other port's, or nowhere with BANK. */
  #movePointer(): void {
    const last = this.#banked ? BANKED_LAST : 2 * PORT_REGISTERS - 1;
    if ((this.#iocon & IOCON_SEQOP) === 0) this.#pointer = this.#pointer >= last ? 0 : this.#pointer + 1;
    else if (!this.#banked) this.#pointer ^= 1;
  }

  /** Brings pads, interrupts and listeners in line with the registers. */
  #propagate(): void {
    this.#pads.resolve();
    this.#portA.update();
    this.#portB.update();
    this.#updateInts();
    this.#tell();
  }

  /** Each is worked out on its own, as the callback for the first may have changed the second. */
  #updateInts(): void {
    const intA = this.#intDrive(this.#portA, this.#portB);
    if (intA !== this.#intA) {
      this.#intA = intA;
      this.#onInt('A', intA);
    }
    const intB = this.#intDrive(this.#portB, this.#portA);
    if (intB !== this.#intB) {
      this.#intB = intB;
      this.#onInt('B', intB);
    }
  }

  #intDrive(own: Mcp23017Port, other: Mcp23017Port): PadDrive {
    const active = own.interrupting || (other.interrupting && (this.#iocon & IOCON_MIRROR) !== 0);
    if ((this.#iocon & IOCON_ODR) !== 0) return active ? 0 : 'float';
    return active === ((this.#iocon & IOCON_INTPOL) !== 0) ? 1 : 0;
  }

  /** A listener that changes pads is told of it after the present round. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (this.#told.tell(0, this.#warn));
    } finally {
      this.#telling = false;
    }
  }
}

/** The bit of a pin. `EINVAL`: no such pin. */
function bitOf(line: number): number {
  if (Number.isInteger(line) && line >= 0 && line < MCP23017_PINS) return 1 << line;
  throw new KernelError('EINVAL', `MCP23017: no pin ${line}`, {
    hint: 'pins 0 to 7 are GPA0 to GPA7, 8 to 15 are GPB0 to GPB7',
    subject: String(line),
  });
}
