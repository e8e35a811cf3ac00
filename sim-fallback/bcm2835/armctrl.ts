// The ARM interrupt controller of the BCM2835, "ARMCTRL" ("BCM2835 ARM Peripherals", chapter 7).
import { KernelError } from '../../kernel/errno.js';
import { type Peripheral, wrongRead, wrongWrite } from './bus.js';

// Register offsets.
export const IRQ_BASIC_PENDING = 0x00;
export const IRQ_PENDING_1 = 0x04; // GPU interrupts 0-31
export const IRQ_PENDING_2 = 0x08; // GPU interrupts 32-63
export const FIQ_CONTROL = 0x0c;
export const ENABLE_IRQS_1 = 0x10; // write 1 to enable
export const ENABLE_IRQS_2 = 0x14;
export const ENABLE_BASIC_IRQS = 0x18;
export const DISABLE_IRQS_1 = 0x1c; // write 1 to disable
export const DISABLE_IRQS_2 = 0x20;
export const DISABLE_BASIC_IRQS = 0x24;

/** ARM physical address of the controller on Pi 0 and 1. */
export const ARMCTRL_BASE = 0x2000_b200;
/** Length of the register map in bytes. */
export const ARMCTRL_SIZE = 0x28;
/** GPU interrupts 0 to 63. */
export const GPU_IRQS = 64;
/** ARM interrupts 0 to 7: timer, mailbox, doorbells 0 and 1, GPU 0 and 1 halted, illegal accesses 1 and 0. */
export const ARM_IRQS = 8;

/** Basic pending: a GPU interrupt without a shortcut is pending in register 1, or 2. */
export const BASIC_PENDING_1 = 1 << 8;
export const BASIC_PENDING_2 = 1 << 9;
/** Basic pending: first of the shortcut bits, which are in the order of {@link SHORTCUTS}. */
export const SHORTCUT_SHIFT = 10;
/** GPU interrupts that show in basic pending as well, from bit 10 on. */
export const SHORTCUTS: readonly number[] = [7, 9, 10, 18, 19, 53, 54, 55, 56, 57, 62];
/** FIQ control: enable. Bits 0-6 are the source: GPU interrupts 0-63, then ARM interrupts 0-7 as 64-71. */
export const FIQ_ENABLE = 1 << 7;

const ARM_MASK = 0xff;
const FIQ_SOURCE = 0x7f;
const SHORTCUT_LINES_1 = (1 << 7) | (1 << 9) | (1 << 10) | (1 << 18) | (1 << 19);
const SHORTCUT_LINES_2 = (1 << 21) | (1 << 22) | (1 << 23) | (1 << 24) | (1 << 25) | (1 << 30);

/** What the controller needs from the chip around it. */
export interface ArmctrlOptions {
  /** Told of every access that a datasheet would call a mistake. */
  readonly warn: (message: string) => void;
  /** The IRQ input of the ARM, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean) => void;
  /** The FIQ input of the ARM, a level; called when it changes. May access registers. */
  readonly onFiq: (asserted: boolean) => void;
  /** Physical address of the controller, as warnings have it; default {@link ARMCTRL_BASE}. */
  readonly base?: number;
}

/**
 * The interrupt controller: 64 GPU and 8 ARM interrupts, all level, into one IRQ and one FIQ.
 *
 * It latches nothing: a pending bit is the input and its enable. A shortcut interrupt is pending in its own register
 * and in its shortcut bit, but not in bit 8 or 9, and is enabled in its own register only. The source of the FIQ needs
 * no enable; when it has one, it raises both.
 */
export class Armctrl implements Peripheral {
  readonly #base: number;
  readonly #warn: (message: string) => void;
  readonly #onIrq: (asserted: boolean) => void;
  readonly #onFiq: (asserted: boolean) => void;
  #gpu1 = 0;
  #gpu2 = 0;
  #arm = 0;
  #enable1 = 0;
  #enable2 = 0;
  #enableBasic = 0;
  #fiqControl = 0;
  #irq = false;
  #fiq = false;

  constructor(options: ArmctrlOptions) {
    this.#base = options.base ?? ARMCTRL_BASE;
    this.#warn = options.warn;
    this.#onIrq = options.onIrq;
    this.#onFiq = options.onFiq;
  }

  /** Level of GPU interrupt `n`, 0 to 63 (`EINVAL` otherwise). */
  setGpuIrq(n: number, asserted: boolean): void {
    checkInput('GPU', n, GPU_IRQS);
    const bit = 1 << (n & 31);
    if (n < 32) this.#gpu1 = asserted ? this.#gpu1 | bit : this.#gpu1 & ~bit;
    else this.#gpu2 = asserted ? this.#gpu2 | bit : this.#gpu2 & ~bit;
    this.#update();
  }

  /** Level of ARM interrupt `n`, 0 to 7 (`EINVAL` otherwise). */
  setArmIrq(n: number, asserted: boolean): void {
    checkInput('ARM', n, ARM_IRQS);
    const bit = 1 << n;
    this.#arm = asserted ? this.#arm | bit : this.#arm & ~bit;
    this.#update();
  }

  /** Reads the register at `offset`, 0 to 2^32 - 1. What is not mapped gives 0 and a warning. */
  read32(offset: number): number {
    switch (offset) {
      case IRQ_BASIC_PENDING:
        return this.#basicPending();
      case IRQ_PENDING_1:
        return (this.#gpu1 & this.#enable1) >>> 0;
      case IRQ_PENDING_2:
        return (this.#gpu2 & this.#enable2) >>> 0;
      case FIQ_CONTROL:
        return this.#fiqControl;
      case ENABLE_IRQS_1:
        return this.#enable1 >>> 0;
      case ENABLE_IRQS_2:
        return this.#enable2 >>> 0;
      case ENABLE_BASIC_IRQS:
        return this.#enableBasic;
      case DISABLE_IRQS_1:
        return ~this.#enable1 >>> 0;
      case DISABLE_IRQS_2:
        return ~this.#enable2 >>> 0;
      case DISABLE_BASIC_IRQS:
        return ~this.#enableBasic & ARM_MASK;
      default:
        this.#warnAccess(wrongRead(offset), offset);
        return 0;
    }
  }

  /** Writes the register at `offset`. What cannot be written changes nothing, with a warning. */
  write32(offset: number, value: number): void {
    switch (offset) {
      case FIQ_CONTROL:
        this.#fiqControl = value & (FIQ_ENABLE | FIQ_SOURCE);
        break;
      case ENABLE_IRQS_1:
        this.#enable1 |= value;
        break;
      case ENABLE_IRQS_2:
        this.#enable2 |= value;
        break;
      case ENABLE_BASIC_IRQS:
        this.#enableBasic |= value & ARM_MASK;
        break;
      case DISABLE_IRQS_1:
        this.#enable1 &= ~value;
        break;
      case DISABLE_IRQS_2:
        this.#enable2 &= ~value;
        break;
      case DISABLE_BASIC_IRQS:
        this.#enableBasic &= ~value;
        break;
      case IRQ_BASIC_PENDING:
      case IRQ_PENDING_1:
      case IRQ_PENDING_2:
        this.#warnAccess('write to read-only', offset);
        return;
      default:
        this.#warnAccess(wrongWrite(offset), offset);
        return;
    }
    this.#update();
  }

  #basicPending(): number {
    const pending1 = this.#gpu1 & this.#enable1;
    const pending2 = this.#gpu2 & this.#enable2;
    let basic = this.#arm & this.#enableBasic;
    if (pending1 & ~SHORTCUT_LINES_1) basic |= BASIC_PENDING_1;
    if (pending2 & ~SHORTCUT_LINES_2) basic |= BASIC_PENDING_2;
    for (let i = 0; i < SHORTCUTS.length; i++) {
      const n = SHORTCUTS[i] ?? 0;
      basic |= (((n < 32 ? pending1 : pending2) >>> (n & 31)) & 1) << (SHORTCUT_SHIFT + i);
    }
    return basic;
  }

  #update(): void {
    const irq = ((this.#gpu1 & this.#enable1) | (this.#gpu2 & this.#enable2) | (this.#arm & this.#enableBasic)) !== 0;
    if (irq !== this.#irq) {
      this.#irq = irq;
      this.#onIrq(irq);
    }
    const fiq = this.#fiqLevel();
    if (fiq !== this.#fiq) {
      this.#fiq = fiq;
      this.#onFiq(fiq);
    }
  }

  #fiqLevel(): boolean {
    if ((this.#fiqControl & FIQ_ENABLE) === 0) return false;
    const source = this.#fiqControl & FIQ_SOURCE;
    if (source < 32) return ((this.#gpu1 >>> source) & 1) !== 0;
    if (source < GPU_IRQS) return ((this.#gpu2 >>> (source - 32)) & 1) !== 0;
    return source < GPU_IRQS + ARM_IRQS && ((this.#arm >>> (source - GPU_IRQS)) & 1) !== 0;
  }

  #warnAccess(what: string, offset: number): void {
    this.#warn(`ARMCTRL: ${what} register 0x${(this.#base + offset).toString(16)}`);
  }
}

function checkInput(kind: string, n: number, count: number): void {
  if (Number.isInteger(n) && n >= 0 && n < count) return;
  throw new KernelError('EINVAL', `${kind} interrupt ${n}: no such input`, {
    hint: `ARMCTRL has ${kind} interrupts 0 to ${count - 1}`,
  });
}
