// The BCM2711: the peripherals at another address again, pulls that can be read, and a GIC-400 in front of four cores.
import { PeripheralBus } from '../bcm2835/bus.js';
import { BCM2711_GPIO_SIZE, Bcm2835Gpio } from '../bcm2835/gpio.js';
import {
  GPIO_GPU_IRQS,
  GPIO_OFFSET,
  type Soc,
  type SocOptions,
  SYSTIMER_GPU_IRQS,
  SYSTIMER_OFFSET,
} from '../bcm2835/soc.js';
import { SYSTIMER_SIZE, SystemTimer } from '../bcm2835/system-timer.js';
import { GenericTimers } from '../bcm2836/generic-timer.js';
import { CoreCounter, PRESCALER_ONE } from '../bcm2836/local-timer.js';
import { GICC_BASE, GICC_SIZE, GicCpuInterfaces } from './gic-cpu-interface.js';
import { GIC_CORES, GIC_PRIVATE, GICD_BASE, GICD_SIZE, GicDistributor } from './gic-distributor.js';

/** Where the peripherals begin on a BCM2711 ("low peripheral" mode, as Linux has it). */
export const BCM2711_PERIPHERALS = 0xfe00_0000;
/** Frequency of the counter of the cores' own timers. */
export const BCM2711_COUNTER_HZ = 54_000_000;
/** Interrupts of each core's timers: secure, non-secure, the hypervisor's and virtual. */
const TIMER_IRQS = [29, 30, 26, 27] as const;
/** GPU interrupts 0-63 are shared interrupts 64-127 of the GIC, which counts these from 32. */
export const GPU_SPI = 64;

/** The interrupt of the GIC that one of the GPU's is. */
export function gicIrqOf(gpuIrq: number): number {
  return GIC_PRIVATE + GPU_SPI + gpuIrq;
}

/** The chip of Pi 4. Its older interrupt controllers, which Linux does not use on it, are not simulated, nor is a FIQ. */
export class Bcm2711 implements Soc {
  readonly name = 'bcm2711';
  readonly cores = GIC_CORES;
  readonly peripherals = BCM2711_PERIPHERALS;
  readonly gpio: Bcm2835Gpio;
  readonly systemTimer: SystemTimer;
  readonly gic: GicDistributor;
  readonly timers: GenericTimers;
  readonly #bus: PeripheralBus;

  constructor(options: SocOptions) {
    const bus = new PeripheralBus('BCM2711', options);
    const { clock, onIrq, accessingCore = () => 0 } = options;
    const { warn } = bus;
    this.#bus = bus;
    const gic: GicDistributor = new GicDistributor({ warn, accessingCore, changed: () => interfaces.update() });
    const interfaces = new GicCpuInterfaces({ distributor: gic, warn, accessingCore, onIrq });
    const setGpuIrq = (irqs: readonly number[]) => (output: number, asserted: boolean) => {
      gic.setInput(gicIrqOf(irqs[output] ?? 0), asserted);
    };
    const at = (offset: number): number => BCM2711_PERIPHERALS + offset;
    this.gic = gic;
    const counter = new CoreCounter(clock, BCM2711_COUNTER_HZ);
    counter.setRate(PRESCALER_ONE, 1);
    this.timers = new GenericTimers({
      clock,
      counter,
      cores: GIC_CORES,
      onIrq: (core, timer, asserted) => gic.setInput(TIMER_IRQS[timer] ?? 0, asserted, core),
    });
    this.gpio = new Bcm2835Gpio({
      clock,
      warn,
      base: at(GPIO_OFFSET),
      variant: 'bcm2711',
      onBankIrq: setGpuIrq(GPIO_GPU_IRQS),
    });
    this.systemTimer = new SystemTimer({ clock, warn, base: at(SYSTIMER_OFFSET), onIrq: setGpuIrq(SYSTIMER_GPU_IRQS) });
    bus.map(at(GPIO_OFFSET), BCM2711_GPIO_SIZE, this.gpio);
    bus.map(GICC_BASE, GICC_SIZE, interfaces);
    bus.map(GICD_BASE, GICD_SIZE, gic);
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
