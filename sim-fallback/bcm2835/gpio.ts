// The GPIO block of the BCM2835 ("BCM2835 ARM Peripherals", chapter 6): 54 lines in two banks.
import { KernelError } from '../../kernel/errno.js';
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import { PupPdnControl } from '../bcm2711/gpio-pull.js';
import { BankIrqs } from './bank-irqs.js';
import { type Peripheral, wrongRead, wrongWrite } from './bus.js';
import { GpioBank } from './gpio-bank.js';
import { type Pull, PullControl, type PullRegisters } from './gpio-pull.js';
import { PadNotices } from './pad-notices.js';
import type { BoardPull, PadDrive, PadLevel, PadListener, Pads } from './pads.js';

// Register offsets. Of each pair the first is for lines 0-31, the second, 4 further, for lines 32-53.
export const GPFSEL0 = 0x00; // function select, 3 bits a line, 10 lines a register
export const GPFSEL1 = 0x04;
export const GPFSEL2 = 0x08;
export const GPFSEL3 = 0x0c;
export const GPFSEL4 = 0x10;
export const GPFSEL5 = 0x14;
export const GPSET0 = 0x1c; // write 1: output high
export const GPSET1 = 0x20;
export const GPCLR0 = 0x28; // write 1: output low
export const GPCLR1 = 0x2c;
export const GPLEV0 = 0x34; // level of the pads, read only
export const GPLEV1 = 0x38;
export const GPEDS0 = 0x40; // event detect status, write 1 to clear
export const GPEDS1 = 0x44;
export const GPREN0 = 0x4c; // rising edge, sampled
export const GPREN1 = 0x50;
export const GPFEN0 = 0x58; // falling edge, sampled
export const GPFEN1 = 0x5c;
export const GPHEN0 = 0x64; // high level
export const GPHEN1 = 0x68;
export const GPLEN0 = 0x70; // low level
export const GPLEN1 = 0x74;
export const GPAREN0 = 0x7c; // rising edge, asynchronous
export const GPAREN1 = 0x80;
export const GPAFEN0 = 0x88; // falling edge, asynchronous
export const GPAFEN1 = 0x8c;
export const GPPUD = 0x94; // pull control: 0 off, 1 down, 2 up
export const GPPUDCLK0 = 0x98; // clocks GPPUD into lines
export const GPPUDCLK1 = 0x9c;

// Values of a GPFSEL field.
export const FSEL_INPUT = 0;
export const FSEL_OUTPUT = 1;
export const FSEL_ALT0 = 4;
export const FSEL_ALT1 = 5;
export const FSEL_ALT2 = 6;
export const FSEL_ALT3 = 7;
export const FSEL_ALT4 = 3;
export const FSEL_ALT5 = 2;

/** Lines of the chip, 0 to 53. */
export const BCM2835_GPIO_LINES = 54;
/** Lines of a BCM2711, 0 to 57. */
export const BCM2711_GPIO_LINES = 58;
/** ARM physical address of the block on Pi 0 and 1. */
export const GPIO_BASE = 0x2020_0000;
/** Length of the register map in bytes, the reserved words and the test register at its end included. */
export const GPIO_SIZE = 0xb4;
/** The same of a BCM2711. */
export const BCM2711_GPIO_SIZE = 0xf4;
/** Period of the core clock (250 MHz) that samples the pads for GPREN and GPFEN, in ns. */
export const SAMPLE_NS = 4;

const BANK0_MASK = 0xffff_ffff;
const BANK1_WORD = 4;
const BANK_REGISTERS_STRIDE = 12;
// Pulls after reset: up on 0-8 and 34-36, down on 9-27, 30-33 and 37-45; the others depend on the board: none. On a BCM2711
// it is none on 44 and 45, and up from 46 on.
const RESET_PULL_UP = [0x0000_01ff, 0x0000_001c] as const;
const RESET_PULL_DOWN = [0xcfff_fe00, 0x0000_3fe3] as const;
const BCM2711_PULL_UP_1 = 0x03ff_c01c;
const BCM2711_PULL_DOWN_1 = 0x0000_0fe3;

/** What the block needs from the chip around it. */
export interface Bcm2835GpioOptions {
  readonly clock: Clock;
  /** Told of every access that a datasheet would call a mistake, and of short circuits. */
  readonly warn: (message: string) => void;
  /**
   * Interrupt outputs, called when one changes: 0 for lines 0-27, 1 for 28-45, 2 for those above, 3 for all. They are levels:
   * asserted while a GPEDS bit of their lines is set. May access registers.
   */
  readonly onBankIrq: (bank: number, asserted: boolean) => void;
  /** Physical address of the block, as warnings have it; default {@link GPIO_BASE}. */
  readonly base?: number;
  /**
   * A `bcm2711` has four lines more, and pulls that are set by GPIO_PUP_PDN_CNTRL_REG0-3 in place of GPPUD; default
   * `bcm2835`.
   */
  readonly variant?: 'bcm2835' | 'bcm2711';
}

/**
 * The GPIO block, driven through its registers on one side and its pads on the other.
 *
 * Time has the grain of the core clock: a sample is taken at every multiple of {@link SAMPLE_NS} and sees the level
 * from before that moment, so a synchronous edge is latched 4 to 8 ns after it happened, provided the new level is met
 * by two samples in a row. Asynchronous and level detectors act at once. A pull resistor of the board that is there before
 * the first tick of the core clock was there at power-up: the level that it gives is no edge. A line with an alternate
 * function is not driven by this block. No object is made per access or per edge.
 */
export class Bcm2835Gpio implements Pads, Peripheral {
  readonly lines: number;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #base: number;
  readonly #warn: (message: string) => void;
  readonly #fsel = new Uint32Array(6);
  readonly #bank0 = new GpioBank(BANK0_MASK, RESET_PULL_UP[0], RESET_PULL_DOWN[0]);
  readonly #bank1: GpioBank;
  readonly #pull: PullRegisters;
  readonly #told: [PadNotices, PadNotices];
  readonly #irqs: BankIrqs;
  /** Ticks of the core clock that the detectors have seen, and as many as there were at power-up. */
  #tick: number;
  readonly #powerUpTick: number;
  #telling = false;

  constructor(options: Bcm2835GpioOptions) {
    this.#clock = options.clock;
    this.#base = options.base ?? GPIO_BASE;
    this.#warn = options.warn;
    this.#alarm = options.clock.createAlarm(() => this.#wake());
    this.#tick = Math.floor(options.clock.now() / SAMPLE_NS);
    this.#powerUpTick = this.#tick;
    const newer = options.variant === 'bcm2711';
    this.lines = newer ? BCM2711_GPIO_LINES : BCM2835_GPIO_LINES;
    this.#bank1 = new GpioBank(
      2 ** (this.lines - 32) - 1,
      newer ? BCM2711_PULL_UP_1 : RESET_PULL_UP[1],
      newer ? BCM2711_PULL_DOWN_1 : RESET_PULL_DOWN[1],
    );
    this.#told = [new PadNotices(this.#bank0), new PadNotices(this.#bank1)];
    this.#irqs = new BankIrqs(this.#bank0, this.#bank1, options.onBankIrq);
    const setPull = (line: number, pull: Pull): void => this.#setPull(line, pull);
    const warn = (message: string): void => options.warn(`GPIO: ${message}`);
    this.#pull = newer
      ? new PupPdnControl(this.lines, setPull, warn)
      : new PullControl(GPPUD, this.lines, setPull, warn);
  }

  /** Reads the register at `offset`, 0 to 2^32 - 1. What cannot be read gives 0 and a warning. */
  read32(offset: number): number {
    this.#catchUp(this.#clock.now());
    if (offset >= 0 && offset <= GPFSEL5 && offset % 4 === 0) return this.#fsel[offset / 4] ?? 0;
    if (this.#isPull(offset)) return this.#pull.read((offset - this.#pull.first) / 4);
    const second = isSecondWord(offset);
    const bank = second ? this.#bank1 : this.#bank0;
    switch (second ? offset - BANK1_WORD : offset) {
      case GPLEV0:
        return bank.level >>> 0;
      case GPEDS0:
        return bank.eds >>> 0;
      case GPREN0:
        return bank.ren >>> 0;
      case GPFEN0:
        return bank.fen >>> 0;
      case GPHEN0:
        return bank.hen >>> 0;
      case GPLEN0:
        return bank.len >>> 0;
      case GPAREN0:
        return bank.aren >>> 0;
      case GPAFEN0:
        return bank.afen >>> 0;
      case GPSET0:
      case GPCLR0:
        this.#warnAccess('read of write-only', offset);
        return 0;
      default:
        this.#warnAccess(wrongRead(offset), offset);
        return 0;
    }
  }

  /** Writes the register at `offset`. Only the low 32 bits count; what cannot be written changes nothing, with a warning. */
  write32(offset: number, value: number): void {
    const now = this.#clock.now();
    this.#catchUp(now);
    if (offset >= 0 && offset <= GPFSEL5 && offset % 4 === 0) this.#writeFsel(offset / 4, value);
    else if (this.#isPull(offset)) this.#pull.write((offset - this.#pull.first) / 4, value, now);
    else this.#writeBank(offset, value);
    this.#propagate();
  }

  #isPull(offset: number): boolean {
    const { first, words } = this.#pull;
    return offset >= first && offset < first + 4 * words && offset % 4 === 0;
  }

  #writeBank(offset: number, value: number): void {
    const second = isSecondWord(offset);
    const bank = second ? this.#bank1 : this.#bank0;
    const bits = value & bank.mask;
    switch (second ? offset - BANK1_WORD : offset) {
      case GPSET0:
        bank.output |= bits;
        return;
      case GPCLR0:
        bank.output &= ~bits;
        return;
      case GPEDS0:
        bank.eds &= ~bits;
        return;
      case GPREN0:
        bank.ren = bits;
        return;
      case GPFEN0:
        bank.fen = bits;
        return;
      case GPHEN0:
        bank.hen = bits;
        return;
      case GPLEN0:
        bank.len = bits;
        return;
      case GPAREN0:
        bank.aren = bits;
        return;
      case GPAFEN0:
        bank.afen = bits;
        return;
      case GPLEV0:
        this.#warnAccess('write to read-only', offset);
        return;
      default:
        this.#warnAccess(wrongWrite(offset), offset);
    }
  }

  #writeFsel(index: number, value: number): void {
    const lines = Math.min(10, this.lines - index * 10);
    this.#fsel[index] = value & (2 ** (3 * lines) - 1);
    for (let i = 0; i < lines; i++) {
      const line = index * 10 + i;
      const bank = this.#bankOf(line);
      const bit = 1 << (line & 31);
      if (((value >>> (3 * i)) & 7) === FSEL_OUTPUT) bank.outputEnable |= bit;
      else bank.outputEnable &= ~bit;
    }
  }

  drive(line: number, value: PadDrive): void {
    const bank = this.#lineBank(line);
    const bit = 1 << (line & 31);
    this.#catchUp(this.#clock.now());
    if (value === 'float') bank.driven &= ~bit;
    else bank.driven |= bit;
    if (value === 1) bank.drivenLevel |= bit;
    else bank.drivenLevel &= ~bit;
    this.#propagate();
  }

  setBoardPull(line: number, pull: BoardPull): void {
    const bank = this.#lineBank(line);
    const bit = 1 << (line & 31);
    this.#catchUp(this.#clock.now());
    if (pull === 'none') bank.boardPull &= ~bit;
    else bank.boardPull |= bit;
    if (pull === 'up') bank.boardPullLevel |= bit;
    else bank.boardPullLevel &= ~bit;
    if (this.#tick === this.#powerUpTick) bank.powerUp(bit);
    this.#propagate();
  }

  level(line: number): PadLevel {
    const bank = this.#lineBank(line);
    this.#catchUp(this.#clock.now());
    return ((bank.level >>> (line & 31)) & 1) as PadLevel;
  }

  onPad(line: number, listener: PadListener): () => void {
    this.#lineBank(line);
    this.#catchUp(this.#clock.now());
    return this.#told[line < 32 ? 0 : 1].add(line & 31, listener);
  }

  #bankOf(line: number): GpioBank {
    return line < 32 ? this.#bank0 : this.#bank1;
  }

  #lineBank(line: number): GpioBank {
    if (Number.isInteger(line) && line >= 0 && line < this.lines) return this.#bankOf(line);
    throw new KernelError('EINVAL', `GPIO${line}: no such line`, {
      hint: `the chip has lines 0 to ${this.lines - 1}`,
      subject: `GPIO${line}`,
    });
  }

  #setPull(line: number, pull: Pull): void {
    const bank = this.#bankOf(line);
    const bit = 1 << (line & 31);
    bank.pullUp = pull === 'up' ? bank.pullUp | bit : bank.pullUp & ~bit;
    bank.pullDown = pull === 'down' ? bank.pullDown | bit : bank.pullDown & ~bit;
  }

  /** The alarm: a detector may match, or a hold time of the pulls ends. */
  #wake(): void {
    this.#catchUp(this.#clock.now());
    this.#rearm();
  }

  /** Lets everything happen that the core clock did until `now`, in order, before the caller looks or changes anything. */
  #catchUp(now: number): void {
    let changed = false;
    while (this.#pull.nextNs <= now) {
      const at = this.#pull.nextNs;
      this.#clockTo(at);
      this.#pull.settle(at);
      this.#bank0.resolve();
      this.#bank1.resolve();
      changed = true;
    }
    if (this.#clockTo(now)) changed = true;
    if (changed) this.#propagate();
  }

  /** Ticks until `now`; true when an edge was latched. Pads do not change meanwhile, so a third tick matches nothing. */
  #clockTo(now: number): boolean {
    const target = Math.floor(now / SAMPLE_NS);
    const ticks = Math.min(target - this.#tick, 2);
    this.#tick = target;
    if (this.#bank0.settled && this.#bank1.settled) return false;
    const eds0 = this.#bank0.eds;
    const eds1 = this.#bank1.eds;
    for (let i = 0; i < ticks; i++) {
      this.#bank0.clock();
      this.#bank1.clock();
    }
    return eds0 !== this.#bank0.eds || eds1 !== this.#bank1.eds;
  }

  /** Brings pads, listeners, interrupt outputs and the alarm in line with the registers. */
  #propagate(): void {
    this.#bank0.resolve();
    this.#bank1.resolve();
    try {
      this.#tell();
    } finally {
      // A listener that throws takes no interrupt away.
      this.#irqs.update();
      this.#rearm();
    }
  }

  #rearm(): void {
    const ticks0 = this.#bank0.ticksToMatch;
    const ticks1 = this.#bank1.ticksToMatch;
    const ticks = ticks0 === 0 || ticks1 === 0 ? ticks0 + ticks1 : Math.min(ticks0, ticks1);
    const match = ticks === 0 ? Number.POSITIVE_INFINITY : (this.#tick + ticks) * SAMPLE_NS;
    const due = Math.min(match, this.#pull.nextNs);
    if (due === Number.POSITIVE_INFINITY) this.#alarm.cancel();
    else if (!this.#alarm.scheduled || this.#alarm.dueNs !== due) this.#alarm.schedule(due);
  }

  /** A listener that changes pads is told of it after the present round, so that all hear changes in the same order. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (this.#told[0].tell(0, this.#warn) || this.#told[1].tell(32, this.#warn));
    } finally {
      this.#telling = false;
    }
  }

  #warnAccess(what: string, offset: number): void {
    this.#warn(`GPIO: ${what} register 0x${(this.#base + offset).toString(16)}`);
  }
}

/** True when `offset` is the second register of a pair (lines 32-53). */
function isSecondWord(offset: number): boolean {
  return offset >= GPSET0 && (offset - GPSET0) % BANK_REGISTERS_STRIDE === BANK1_WORD;
}
