// A GPIO block by itself, which notes the changes of its interrupt outputs.
import { VirtualClock } from '../../kernel/time/clock.js';
import { Bcm2835Gpio } from './gpio.js';

export interface GpioRig {
  readonly clock: VirtualClock;
  readonly gpio: Bcm2835Gpio;
  /** Each change of a bank's interrupt: the bank, and whether it is asserted now. */
  readonly irqs: [number, boolean][];
}

/** A block after power-up. What it would warn of is an error here. */
export function gpioRig(): GpioRig {
  const clock = new VirtualClock();
  const irqs: [number, boolean][] = [];
  const warn = (message: string) => {
    throw new Error(message);
  };
  const gpio = new Bcm2835Gpio({ clock, warn, onBankIrq: (bank, asserted) => irqs.push([bank, asserted]) });
  return { clock, gpio, irqs };
}
