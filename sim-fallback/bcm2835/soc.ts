// The BCM2835: its peripherals, how they are wired, and where the ARM sees them.
import type { Clock } from '../../kernel/time/clock.js';
import { ARMCTRL_BASE, ARMCTRL_SIZE, Armctrl } from './armctrl.js';
import { Bcm2835Gpio, GPIO_BASE, GPIO_SIZE } from './gpio.js';

/** GPU interrupts of the four bank outputs of the GPIO block: lines 0-27, 28-45, 46-53, all. */
export const GPIO_GPU_IRQS: readonly [number, number, number, number] = [49, 50, 51, 52];

/** What the chip needs from its surroundings. */
export interface Bcm2835Options {
  readonly clock: Clock;
  /** Told of every access that a datasheet would call a mistake, with its address, and of short circuits. */
  readonly warn: (message: string) => void;
  /** The IRQ input of the ARM core, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean) => void;
  /** The FIQ input of the ARM core, a level; called when it changes. May access registers. */
  readonly onFiq: (asserted: boolean) => void;
}

/**
 * The chip of Pi 0 and 1, as far as this project needs it: GPIO block and interrupt controller.
 *
 * Software sees it through {@link read32} and {@link write32} at ARM physical addresses; the board through
 * {@link gpio}, which has the pads.
 */
export class Bcm2835 {
  readonly gpio: Bcm2835Gpio;
  readonly armctrl: Armctrl;
  readonly #warn: (message: string) => void;

  constructor(options: Bcm2835Options) {
    this.#warn = options.warn;
    this.armctrl = new Armctrl({ warn: options.warn, onIrq: options.onIrq, onFiq: options.onFiq });
    this.gpio = new Bcm2835Gpio({
      clock: options.clock,
      warn: options.warn,
      onBankIrq: (bank, asserted) => this.armctrl.setGpuIrq(GPIO_GPU_IRQS[bank] ?? -1, asserted),
    });
  }

  /** A 32-bit load. An address where nothing is gives 0 and a warning. */
  read32(address: number): number {
    if (address >= GPIO_BASE && address < GPIO_BASE + GPIO_SIZE) return this.gpio.read32(address - GPIO_BASE);
    if (address >= ARMCTRL_BASE && address < ARMCTRL_BASE + ARMCTRL_SIZE) {
      return this.armctrl.read32(address - ARMCTRL_BASE);
    }
    this.#warn(`BCM2835: read of unmapped address 0x${address.toString(16)}`);
    return 0;
  }

  /** A 32-bit store. An address where nothing is takes nothing, with a warning. */
  write32(address: number, value: number): void {
    if (address >= GPIO_BASE && address < GPIO_BASE + GPIO_SIZE) this.gpio.write32(address - GPIO_BASE, value);
    else if (address >= ARMCTRL_BASE && address < ARMCTRL_BASE + ARMCTRL_SIZE) {
      this.armctrl.write32(address - ARMCTRL_BASE, value);
    } else this.#warn(`BCM2835: write to unmapped address 0x${address.toString(16)}`);
  }
}
