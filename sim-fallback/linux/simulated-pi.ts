// A simulated Pi: the model's machine, the chip, the kernel's drivers for it, and a board around it.
import type { Machine } from '../../kernel/index.js';
import { runningCpu } from '../../kernel/sched/current.js';
import { placeOf, withLongStacks } from '../../kernel/sched/debug.js';
import { Bcm2835, type SocOptions } from '../bcm2835/soc.js';
import { Board, type BoardDescription } from '../board/board.js';
import { Bcm2835Timer } from './bcm2835-timer.js';
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
  /**
   * What interrupts for the timers of CPU 0: the exact one that each CPU of the model has for itself (`cpu`, the default), or
   * the chip's system timer, as on Pi 0 and 1 ({@link Bcm2835Timer}).
   */
  readonly clockEvents?: 'cpu' | 'system-timer';
  /** Takes the FIQ of a core, a level, which Linux has no use for; default: it is reported. */
  readonly onFiq?: (asserted: boolean, core: number) => void;
}

/** All parts of a simulated Pi, from the finger to the interrupt. */
export interface SimulatedPi {
  readonly machine: Machine;
  readonly soc: Bcm2835;
  readonly pinctrl: PinctrlBcm2835;
  readonly board: Board;
  readonly chip: SimGpioChip;
}

/** What a chip needs, of a machine: cores are its CPUs, and mistakes go to its log with the place in the user's code. */
function socOptions({ machine, onFiq }: SimulatedPiOptions): SocOptions {
  return {
    clock: machine.clock,
    warn: (message) => machine.printk('warning', message),
    accessedBy: () => {
      const place = withLongStacks(() => placeOf(new Error().stack));
      return place === '?' ? '' : place;
    },
    accessingCore: () => runningCpu()?.id ?? 0,
    onIrq: (asserted, core) => machine.cpus[core]?.setIrqLine(asserted),
    onFiq:
      onFiq ??
      ((asserted, core) => {
        if (asserted) machine.printk('warning', `FIQ raised on CPU${core}, and nothing handles it`);
      }),
  };
}

/**
 * Builds a Pi with a BCM2835. The interrupt controller is wired to CPU 0, where the chip's interrupts are taken.
 *
 * This instant is the power-up: the board's pull resistors give the pads their first levels, which are no edges.
 * `EINVAL`: as {@link Board}.
 */
export function createSimulatedPi(options: SimulatedPiOptions): SimulatedPi {
  const { machine } = options;
  const soc = new Bcm2835(socOptions(options));
  const parent = new ArmctrlIrqchip(machine, soc);
  const pinctrl = new PinctrlBcm2835(machine, soc, parent);
  if (options.clockEvents === 'system-timer') new Bcm2835Timer(machine, soc, parent);
  const board = new Board(options.board, { clock: machine.clock, pads: soc.gpio, seed: options.seed ?? 1 });
  const chip = new SimGpioChip({ machine, pinctrl, board, originNs: options.originNs ?? 0n });
  return { machine, soc, pinctrl, board, chip };
}
