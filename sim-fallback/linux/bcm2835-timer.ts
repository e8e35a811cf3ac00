// The Linux side of the system timer: a clock event device on compare 3 (drivers/clocksource/bcm2835_timer.c).
import {
  type Alarm,
  type Coroutine,
  type Cpu,
  IRQ_HANDLED,
  IRQ_NONE,
  IRQF_SHARED,
  IRQF_TIMER,
  type IrqReturn,
  type Machine,
  requestIrq,
} from '../../kernel/index.js';
import { finishOutcome } from '../../kernel/sched/atomic.js';
import { type Outcome, SUSPENDED } from '../../kernel/sched/coroutine.js';
import { type Soc, SYSTIMER_GPU_IRQS, SYSTIMER_OFFSET } from '../bcm2835/soc.js';
import { SYSTIMER_C0, SYSTIMER_CLO, SYSTIMER_CS, SYSTIMER_TICK_NS } from '../bcm2835/system-timer.js';
import type { InterruptParent } from './interrupt-parent.js';

const DEFAULT_TIMER = 3;
const MATCH = 1 << DEFAULT_TIMER;
/** Shortest and longest time that it is programmed for, in ticks. */
const MIN_DELTA = 0xf;
const MAX_DELTA = 0xffff_ffff;
/** The name of its device-tree node. */
const NAME = 'timer';
const REQUEST_PRIORITY = 99;

/** The interrupt goes on behind a timer function that is a generator. */
function* finish(outcome: Outcome): Coroutine<IrqReturn> {
  yield* finishOutcome(outcome);
  return IRQ_HANDLED;
}

/**
 * Interrupts for the timers of CPU 0, with the grain of the counter. Whole ticks are programmed, rounded down, and none
 * less than 15 µs ahead: an interrupt that is early by a part of a tick finds nothing due, and the next one is 15 µs late.
 */
export class Bcm2835Timer implements Alarm {
  dueNs = 0;
  scheduled = false;
  readonly #machine: Machine;
  readonly #soc: Soc;
  readonly #base: number;
  readonly #cpu: Cpu;

  /** Requests its interrupt and takes the place of the CPU's own clock event device. */
  constructor(machine: Machine, soc: Soc, parent: InterruptParent) {
    this.#machine = machine;
    this.#soc = soc;
    this.#base = soc.peripherals + SYSTIMER_OFFSET;
    this.#cpu = machine.bootCpu;
    const irq = parent.domain.createMapping(parent.gpuHwirq(SYSTIMER_GPU_IRQS[DEFAULT_TIMER]));
    const request = (): unknown => requestIrq(irq, () => this.#interrupt(), IRQF_TIMER | IRQF_SHARED, NAME, this);
    machine.spawn('swapper/0', request, { rtPriority: REQUEST_PRIORITY, cpusAllowed: 1 << this.#cpu.id });
    this.#cpu.hrtimers.setDevice(this);
    machine.printk('info', `bcm2835: system timer (irq = ${irq})`);
  }

  /** Programs the next event (clockevents_program_event). */
  schedule(atNs: number): void {
    const ticks = Math.floor((atNs - this.#machine.clock.now()) / SYSTIMER_TICK_NS);
    const delta = Math.min(Math.max(ticks, MIN_DELTA), MAX_DELTA);
    const now = this.#soc.read32(this.#base + SYSTIMER_CLO);
    this.#soc.write32(this.#base + SYSTIMER_C0 + 4 * DEFAULT_TIMER, (now + delta) >>> 0);
    this.dueNs = atNs;
    this.scheduled = true;
  }

  /** The device cannot be stopped: what it was programmed for interrupts for nothing. */
  cancel(): void {
    this.scheduled = false;
  }

  #interrupt(): IrqReturn | Coroutine<IrqReturn> {
    if ((this.#soc.read32(this.#base + SYSTIMER_CS) & MATCH) === 0) return IRQ_NONE;
    this.#soc.write32(this.#base + SYSTIMER_CS, MATCH);
    this.scheduled = false;
    const outcome = this.#cpu.hrtimers.interrupt();
    return outcome === SUSPENDED ? finish(outcome) : IRQ_HANDLED;
  }
}
