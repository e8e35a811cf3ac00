// The simulated Pi: what the package exports as gpio-irqd/sim.
export * from './bcm2835/armctrl.js';
export * from './bcm2835/gpio.js';
export type { BoardPull, PadDrive, PadLevel, PadListener, Pads } from './bcm2835/pads.js';
export * from './bcm2835/soc.js';
export * from './board/board.js';
export type { BounceOptions } from './board/bounce.js';
export { Button, type PressOptions, type ReleaseOptions } from './board/button.js';
export { LED_LOG_MAX, Led, type LedChange, type LedListener } from './board/led.js';
export { PadFilter } from './board/pad-filter.js';
export { SimGpioChip, type SimGpioChipOptions } from './linux/gpio-chip.js';
export { ArmctrlIrqchip, gpuHwirq } from './linux/irq-bcm2835.js';
export { PinctrlBcm2835 } from './linux/pinctrl-bcm2835.js';
export * from './linux/simulated-pi.js';
