// A simulated Pi: the model's machine, the chip, the kernel's drivers for it, and a board around it.
import {
  type ChipInfo,
  IRQ_TYPE_LEVEL_HIGH,
  IRQ_TYPE_LEVEL_LOW,
  type IrqDomain,
  KernelError,
  type Machine,
} from '../../kernel/index.js';
import { runningCpu } from '../../kernel/sched/current.js';
import { placeOf, withLongStacks } from '../../kernel/sched/debug.js';
import { BCM2711_COUNTER_HZ, Bcm2711 } from '../bcm2711/soc.js';
import { Bcm2835, type Soc, type SocName, type SocOptions } from '../bcm2835/soc.js';
import { LOCAL_IRQ_CNTPNSIRQ } from '../bcm2836/local-intc.js';
import { CRYSTAL_HZ } from '../bcm2836/local-timer.js';
import { Bcm2836 } from '../bcm2836/soc.js';
import { Board, type BoardDescription } from '../board/board.js';
import { type ArchTimerOptions, startArchTimers } from './arch-timer.js';
import { Bcm2835Timer } from './bcm2835-timer.js';
import { SimGpioChip } from './gpio-chip.js';
import type { InterruptParent } from './interrupt-parent.js';
import { ArmctrlIrqchip } from './irq-bcm2835.js';
import { Bcm2836Irqchip } from './irq-bcm2836.js';
import { Gic } from './irq-gic.js';
import { PinctrlBcm2835 } from './pinctrl-bcm2835.js';

/** What a simulated Pi is made from. */
export interface SimulatedPiOptions {
  /** Its CPUs and its clock; virtual or real time. */
  readonly machine: Machine;
  readonly board: BoardDescription;
  /** The chip: `bcm2835` (Pi 0 and 1, the default), `bcm2836` (Pi 2), `bcm2837` (Pi 3) or `bcm2711` (Pi 4). */
  readonly soc?: SocName;
  /** How its GPIO chip presents itself; default as the SoC's does. */
  readonly chipInfo?: Partial<ChipInfo>;
  /** Seed of the buttons' bounce; default 1. */
  readonly seed?: number;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns; default 0. */
  readonly originNs?: bigint;
  /**
   * What interrupts for the machine's timers: the exact device that each CPU of the model has for itself (`cpu`, the default);
   * for CPU 0 the chip's system timer, as on Pi 0 and 1 ({@link Bcm2835Timer}); or the timer of each core, as on Pi 2 and
   * later.
   */
  readonly clockEvents?: 'cpu' | 'system-timer' | 'arch-timer';
  /** Takes the FIQ of a core, a level, which Linux has no use for; default: it is reported. */
  readonly onFiq?: (asserted: boolean, core: number) => void;
}

/** All parts of a simulated Pi, from the finger to the interrupt. */
export interface SimulatedPi<S extends Soc = Bcm2835> {
  readonly machine: Machine;
  readonly soc: S;
  /** Where the peripherals' interrupts go. */
  readonly intc: InterruptParent;
  /** Lines that each CPU has for itself, by the controller's numbers; undefined on a chip with one core. */
  readonly percpuIrqs: IrqDomain | undefined;
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

/** A chip, and the controller that its peripherals' interrupts go to, with its driver. */
interface Chip<S extends Soc> {
  readonly soc: S;
  readonly intc: InterruptParent;
  readonly percpuIrqs: IrqDomain | undefined;
  /** Of the timer of each core, where it has one. */
  readonly archTimer: ArchTimerOptions | undefined;
}

function bcm2835(options: SimulatedPiOptions): Chip<Bcm2835> {
  const soc = new Bcm2835(socOptions(options));
  return { soc, intc: new ArmctrlIrqchip(options.machine, soc), percpuIrqs: undefined, archTimer: undefined };
}

function bcm2836(options: SimulatedPiOptions, name: 'bcm2836' | 'bcm2837'): Chip<Bcm2836> {
  const { machine } = options;
  const soc = new Bcm2836(socOptions(options), name);
  const root = new Bcm2836Irqchip(machine, soc);
  const irq = root.domain.createMapping(LOCAL_IRQ_CNTPNSIRQ);
  const archTimer = { timers: soc.timers, hz: CRYSTAL_HZ, irq, type: IRQ_TYPE_LEVEL_HIGH };
  return { soc, intc: new ArmctrlIrqchip(machine, soc, root.gpu), percpuIrqs: root.domain, archTimer };
}

function bcm2711(options: SimulatedPiOptions): Chip<Bcm2711> {
  const soc = new Bcm2711(socOptions(options));
  const gic = new Gic(options.machine, soc);
  const irq = gic.domain.createMapping(GIC_CNTPNS_IRQ);
  const archTimer = { timers: soc.timers, hz: BCM2711_COUNTER_HZ, irq, type: IRQ_TYPE_LEVEL_LOW };
  return { soc, intc: gic, percpuIrqs: gic.domain, archTimer };
}

function chipOf(options: SimulatedPiOptions): Chip<Soc> {
  const { soc = 'bcm2835' } = options;
  switch (soc) {
    case 'bcm2835':
      return bcm2835(options);
    case 'bcm2836':
    case 'bcm2837':
      return bcm2836(options, soc);
    case 'bcm2711':
      return bcm2711(options);
    default:
      throw new KernelError('EINVAL', `no chip ${soc}`, { hint: 'bcm2835, bcm2836, bcm2837 or bcm2711' });
  }
}

/** The non-secure timer's interrupt of each core, at the GIC. */
const GIC_CNTPNS_IRQ = 30;

/** Cores of each chip. */
const CORES: Readonly<Record<SocName, number>> = { bcm2835: 1, bcm2836: 4, bcm2837: 4, bcm2711: 4 };

/** A machine may have fewer CPUs than the chip has cores, as with `maxcpus=`; with one core, all others take no interrupts. */
function checkCores({ machine, soc = 'bcm2835' }: SimulatedPiOptions): void {
  const cores = Object.hasOwn(CORES, soc) ? CORES[soc] : 1;
  if (cores === 1 || machine.cpus.length <= cores) return;
  throw new KernelError('EINVAL', `the machine has ${machine.cpus.length} CPUs, a ${soc} has ${cores} cores`);
}

/**
 * Builds a Pi. Its peripherals' interrupts are taken on CPU 0 unless they are sent elsewhere, which a BCM2711 can. The chips
 * with four cores also interrupt one CPU for another; with a BCM2835 a machine of several CPUs does that without hardware.
 *
 * This instant is the power-up: the board's pull resistors give the pads their first levels, which are no edges.
 * `EINVAL`: more CPUs than cores, or as {@link Board}.
 */
export function createSimulatedPi(options: SimulatedPiOptions & { readonly soc?: 'bcm2835' }): SimulatedPi<Bcm2835>;
export function createSimulatedPi(
  options: SimulatedPiOptions & { readonly soc: 'bcm2836' | 'bcm2837' },
): SimulatedPi<Bcm2836>;
export function createSimulatedPi(options: SimulatedPiOptions & { readonly soc: 'bcm2711' }): SimulatedPi<Bcm2711>;
export function createSimulatedPi(options: SimulatedPiOptions): SimulatedPi<Soc>;
export function createSimulatedPi(options: SimulatedPiOptions): SimulatedPi<Soc> {
  const { machine } = options;
  checkCores(options);
  const { soc, intc, percpuIrqs, archTimer } = chipOf(options);
  const pinctrl = new PinctrlBcm2835(machine, soc, intc);
  if (options.clockEvents === 'system-timer') new Bcm2835Timer(machine, soc, intc);
  if (options.clockEvents === 'arch-timer') {
    if (archTimer === undefined) {
      throw new KernelError('EINVAL', `the core of a ${soc.name} has no timer of its own`, {
        hint: "use clockEvents: 'system-timer'",
      });
    }
    startArchTimers(machine, archTimer);
  }
  const board = new Board(options.board, { clock: machine.clock, pads: soc.gpio, seed: options.seed ?? 1 });
  const { originNs = 0n, chipInfo = {} } = options;
  const chip = new SimGpioChip({ machine, pinctrl, board, originNs, info: chipInfo });
  return { machine, soc, intc, percpuIrqs, pinctrl, board, chip };
}
