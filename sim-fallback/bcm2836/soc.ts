// The BCM2836 and BCM2837: the BCM2835's peripherals at another address, and four cores with a controller each in front.
import { ARMCTRL_SIZE, Armctrl } from '../bcm2835/armctrl.js';
import { PeripheralBus } from '../bcm2835/bus.js';
import { Bcm2835Gpio, GPIO_SIZE } from '../bcm2835/gpio.js';
import {
  ARMCTRL_OFFSET,
  GPIO_GPU_IRQS,
  GPIO_OFFSET,
  type Soc,
  type SocOptions,
  SYSTIMER_GPU_IRQS,
  SYSTIMER_OFFSET,
} from '../bcm2835/soc.js';
import { SYSTIMER_SIZE, SystemTimer } from '../bcm2835/system-timer.js';
import { GenericTimers } from './generic-timer.js';
import { LOCAL_CORES, LOCAL_INTC_BASE, LOCAL_INTC_SIZE, LocalIntc } from './local-intc.js';

/** Where the peripherals begin on a BCM2836 and a BCM2837. */
export const BCM2836_PERIPHERALS = 0x3f00_0000;

/** The chip of Pi 2, and of Pi 3, which differ in what is not simulated: the cores. */
export class Bcm2836 implements Soc {
  readonly name: 'bcm2836' | 'bcm2837';
  readonly cores = LOCAL_CORES;
  readonly peripherals = BCM2836_PERIPHERALS;
  readonly gpio: Bcm2835Gpio;
  readonly armctrl: Armctrl;
  readonly systemTimer: SystemTimer;
  readonly local: LocalIntc;
  readonly timers: GenericTimers;
  readonly #bus: PeripheralBus;

  constructor(options: SocOptions, name: 'bcm2836' | 'bcm2837' = 'bcm2836') {
    const bus = new PeripheralBus(name.toUpperCase(), options);
    const { clock, onIrq, onFiq } = options;
    const { warn } = bus;
    this.name = name;
    this.#bus = bus;
    const local = new LocalIntc({ clock, warn, onIrq, onFiq });
    const at = (offset: number): number => BCM2836_PERIPHERALS + offset;
    const armctrl = new Armctrl({
      warn,
      base: at(ARMCTRL_OFFSET),
      onIrq: (asserted) => local.setGpu('irq', asserted),
      onFiq: (asserted) => local.setGpu('fiq', asserted),
    });
    const setGpuIrq = (irqs: readonly number[]) => (output: number, asserted: boolean) => {
      armctrl.setGpuIrq(irqs[output] ?? -1, asserted);
    };
    this.local = local;
    this.timers = new GenericTimers({
      clock,
      counter: local.counter,
      cores: LOCAL_CORES,
      onIrq: (core, timer, asserted) => local.setTimer(core, timer, asserted),
    });
    this.armctrl = armctrl;
    this.gpio = new Bcm2835Gpio({ clock, warn, base: at(GPIO_OFFSET), onBankIrq: setGpuIrq(GPIO_GPU_IRQS) });
    this.systemTimer = new SystemTimer({ clock, warn, base: at(SYSTIMER_OFFSET), onIrq: setGpuIrq(SYSTIMER_GPU_IRQS) });
    bus.map(at(GPIO_OFFSET), GPIO_SIZE, this.gpio);
    bus.map(at(ARMCTRL_OFFSET), ARMCTRL_SIZE, armctrl);
    bus.map(LOCAL_INTC_BASE, LOCAL_INTC_SIZE, local);
    bus.map(at(SYSTIMER_OFFSET), SYSTIMER_SIZE, this.systemTimer);
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
