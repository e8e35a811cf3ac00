// A simulated Pi: the model's machine, the chip, the kernel's drivers for it, and a board around it.
import type { Cpu, Machine } from '../../kernel/index.js';
import { Bcm2835 } from '../bcm2835/soc.js';
import { Board, type BoardDescription } from '../board/board.js';
import { SimGpioChip } from './gpio-chip.js';
import { ArmctrlIrqchip } from './irq-bcm2835.js';
import { PinctrlBcm2835 } from './pinctrl-bcm2835.js';

/** What a simulated Pi is made from. */
export interface SimulatedPiOptions {
  /** Its CPUs and its clock; virtual or real time. */
  readonly machine: Machine;
  readonly board: BoardDescription;
  /** Seed of the buttons' bounce; default 1. */
  readonly seed?: number;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns; default 0. */
  readonly originNs?: bigint;
}

/** All parts of a simulated Pi, from the finger to the interrupt. */
export interface SimulatedPi {
  readonly machine: Machine;
  readonly soc: Bcm2835;
  readonly pinctrl: PinctrlBcm2835;
  readonly board: Board;
  readonly chip: SimGpioChip;
}

/**
 * Builds a Pi with a BCM2835. The interrupt controller is wired to CPU 0, where the chip's interrupts are taken.
 *
 * This instant is the power-up: the board's pull resistors give the pads their first levels, which are no edges.
 * `EINVAL`: as {@link Board}.
 */
export function createSimulatedPi(options: SimulatedPiOptions): SimulatedPi {
  const { machine } = options;
  const cpu: Cpu = machine.bootCpu;
  const soc = new Bcm2835({
    clock: machine.clock,
    warn: (message) => machine.printk('warning', message),
    onIrq: (asserted) => cpu.setIrqLine(asserted),
    onFiq: (asserted) => {
      if (asserted) machine.printk('warning', 'BCM2835: FIQ raised, and nothing handles it');
    },
  });
  const pinctrl = new PinctrlBcm2835(machine, soc, new ArmctrlIrqchip(machine, soc));
  const board = new Board(options.board, { clock: machine.clock, pads: soc.gpio, seed: options.seed ?? 1 });
  const chip = new SimGpioChip({ machine, pinctrl, board, originNs: options.originNs ?? 0n });
  return { machine, soc, pinctrl, board, chip };
}
