// The BCM2835: its peripherals, how they are wired, and where the ARM sees them.
import type { Clock } from '../../kernel/time/clock.js';
import { ARMCTRL_BASE, ARMCTRL_SIZE, Armctrl } from './armctrl.js';
import { type Bus, type BusWarnings, PeripheralBus } from './bus.js';
import { Bcm2835Gpio, GPIO_BASE, GPIO_SIZE } from './gpio.js';
import { SYSTIMER_BASE, SYSTIMER_SIZE, SystemTimer } from './system-timer.js';

/** The chips that there are: of Pi 0 and 1, of Pi 2, of Pi 3, of Pi 4. */
export type SocName = 'bcm2835' | 'bcm2836' | 'bcm2837' | 'bcm2711';

/** GPU interrupts of the four compares of the system timer. */
export const SYSTIMER_GPU_IRQS: readonly [number, number, number, number] = [0, 1, 2, 3];
/** GPU interrupts of the four bank outputs of the GPIO block: lines 0-27, 28-45, 46-53, all. */
export const GPIO_GPU_IRQS: readonly [number, number, number, number] = [49, 50, 51, 52];

/** Where the peripherals begin on a BCM2835; each of its bus addresses 0x7ennnnnn is 0x20nnnnnn here. */
export const BCM2835_PERIPHERALS = 0x2000_0000;
/** Offsets of peripherals from there, the same on all of the chips. */
export const SYSTIMER_OFFSET: number = SYSTIMER_BASE - BCM2835_PERIPHERALS;
export const ARMCTRL_OFFSET: number = ARMCTRL_BASE - BCM2835_PERIPHERALS;
export const GPIO_OFFSET: number = GPIO_BASE - BCM2835_PERIPHERALS;

/** What a chip needs from its surroundings. */
export interface SocOptions extends BusWarnings {
  readonly clock: Clock;
  /** The IRQ input of a core, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean, core: number) => void;
  /** The FIQ input of a core, a level; called when it changes. May access registers. */
  readonly onFiq: (asserted: boolean, core: number) => void;
  /** The core that makes an access, which some registers have an answer of its own for; default always 0. */
  readonly accessingCore?: () => number;
}

/** A chip, as software (through {@link Bus}) and a board (through the pads of {@link gpio}) see it. */
export interface Soc extends Bus {
  readonly name: SocName;
  readonly cores: number;
  /** ARM physical address at which the peripherals begin. */
  readonly peripherals: number;
  readonly gpio: Bcm2835Gpio;
  readonly systemTimer: SystemTimer;
}

/** What the Bcm2835 needs from its surroundings. */
export type Bcm2835Options = SocOptions;

/**
 * The chip of Pi 0 and 1, as far as this project needs it: GPIO block, system timer and interrupt controller.
 *
 * Software sees it through {@link read32} and {@link write32} at ARM physical addresses; the board through
 * {@link gpio}, which has the pads.
 */
export class Bcm2835 implements Soc {
  readonly name = 'bcm2835';
  readonly cores = 1;
  readonly peripherals = BCM2835_PERIPHERALS;
  readonly gpio: Bcm2835Gpio;
  readonly armctrl: Armctrl;
  readonly systemTimer: SystemTimer;
  readonly #bus: PeripheralBus;

  constructor(options: Bcm2835Options) {
    const bus = new PeripheralBus('BCM2835', options);
    const { clock, onIrq, onFiq } = options;
    const { warn } = bus;
    this.#bus = bus;
    const armctrl = new Armctrl({
      warn,
      onIrq: (asserted) => onIrq(asserted, 0),
      onFiq: (asserted) => onFiq(asserted, 0),
    });
    const setGpuIrq = (irqs: readonly number[]) => (output: number, asserted: boolean) => {
      armctrl.setGpuIrq(irqs[output] ?? -1, asserted);
    };
    this.armctrl = armctrl;
    this.gpio = new Bcm2835Gpio({ clock, warn, onBankIrq: setGpuIrq(GPIO_GPU_IRQS) });
    this.systemTimer = new SystemTimer({ clock, warn, onIrq: setGpuIrq(SYSTIMER_GPU_IRQS) });
    bus.map(GPIO_BASE, GPIO_SIZE, this.gpio);
    bus.map(ARMCTRL_BASE, ARMCTRL_SIZE, armctrl);
    bus.map(SYSTIMER_BASE, SYSTIMER_SIZE, this.systemTimer);
  }

  /** A 32-bit load. An address where nothing is gives 0 and a warning. */
  read32(address: number): number {
    return this.#bus.read32(address);
  }

  /** A 32-bit store. An address where nothing is takes nothing, with a warning. */
  write32(address: number, value: number): void {
    this.#bus.write32(address, value);
  }
}
