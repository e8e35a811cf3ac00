// What drivers need of the interrupt controller that their device's interrupts go to.
import { type IrqDesc, type IrqDomain, thisCpu } from '../../kernel/index.js';

/** A controller that takes the interrupts of the peripherals. */
export interface InterruptParent {
  readonly domain: IrqDomain;
  /** The controller's own number for one of the GPU's interrupts, 0 to 63, which the peripherals are. */
  gpuHwirq(gpuIrq: number): number;
}

/** One line of a controller, for a controller behind it. */
export interface InterruptWire {
  readonly domain: IrqDomain;
  readonly hwirq: number;
}

/** Whether somebody has a handler for a line that each CPU has for itself, or has it enabled on the running CPU. */
export function percpuWanted(desc: IrqDesc | undefined): boolean {
  if (desc === undefined) return false;
  return desc.actions.length > 0 || ((desc.percpuEnabled ?? 0) & (1 << thisCpu().id)) !== 0;
}
