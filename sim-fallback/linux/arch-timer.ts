// The Linux side of the cores' own timers: a clock event device on each CPU (drivers/clocksource/arm_arch_timer.c).
import {
  type Alarm,
  type Coroutine,
  type Cpu,
  enablePercpuIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  type IrqReturn,
  type Machine,
  PerCpu,
  requestPercpuIrq,
} from '../../kernel/index.js';
import { finishOutcome } from '../../kernel/sched/atomic.js';
import { type Outcome, SUSPENDED } from '../../kernel/sched/coroutine.js';
import { CNT_CTL_ENABLE, CNT_CTL_IMASK, CNT_CTL_ISTATUS, type GenericTimers } from '../bcm2836/generic-timer.js';
import { LOCAL_IRQ_CNTPNSIRQ } from '../bcm2836/local-intc.js';

const NSEC_PER_SEC = 1_000_000_000;
/** A kernel that was started in hypervisor mode, as on a Pi, leaves the virtual timer to guests. */
const TIMER = LOCAL_IRQ_CNTPNSIRQ;
/** Shortest time that it is programmed for, in ticks. */
const MIN_DELTA = 0xf;
const STARTING_PRIORITY = 99;

/** The interrupt goes on behind a timer function that is a generator. */
function* finish(outcome: Outcome): Coroutine<IrqReturn> {
  yield* finishOutcome(outcome);
  return IRQ_HANDLED;
}

/**
 * Interrupts for the timers of one CPU, with the grain of the counter. Whole ticks are programmed, rounded down, and none less
 * than 15 ahead.
 */
class ArchTimer implements Alarm {
  dueNs = 0;
  scheduled = false;
  readonly #cpu: Cpu;
  readonly #timers: GenericTimers;
  readonly #hz: number;

  constructor(cpu: Cpu, timers: GenericTimers, hz: number) {
    this.#cpu = cpu;
    this.#timers = timers;
    this.#hz = hz;
  }

  /** Programs the next event (set_next_event). */
  schedule(atNs: number): void {
    const ticks = Math.floor(((atNs - this.#cpu.machine.clock.now()) * this.#hz) / NSEC_PER_SEC);
    const { id } = this.#cpu;
    this.#timers.writeControl(id, TIMER, 0);
    this.#timers.writeCompare(id, TIMER, this.#timers.count + Math.max(ticks, MIN_DELTA));
    this.#timers.writeControl(id, TIMER, CNT_CTL_ENABLE);
    this.dueNs = atNs;
    this.scheduled = true;
  }

  /** Stops the device (set_state_oneshot_stopped). */
  cancel(): void {
    if (!this.scheduled) return;
    this.scheduled = false;
    this.#timers.writeControl(this.#cpu.id, TIMER, 0);
  }

  interrupt(): IrqReturn | Coroutine<IrqReturn> {
    const control = this.#timers.readControl(this.#cpu.id, TIMER);
    if ((control & CNT_CTL_ISTATUS) === 0) return IRQ_NONE;
    this.#timers.writeControl(this.#cpu.id, TIMER, control | CNT_CTL_IMASK);
    this.scheduled = false;
    const outcome = this.#cpu.hrtimers.interrupt();
    return outcome === SUSPENDED ? finish(outcome) : IRQ_HANDLED;
  }
}

/** What {@link startArchTimers} takes. */
export interface ArchTimerOptions {
  readonly timers: GenericTimers;
  /** Frequency of the counter. */
  readonly hz: number;
  /** The number of the interrupt that each CPU has for its non-secure timer. */
  readonly irq: number;
  /** Its trigger type, as the device tree has it. */
  readonly type: number;
}

/** Has each CPU's own timer interrupt for its timers, in place of the exact one that the model has. */
export function startArchTimers(machine: Machine, { timers, hz, irq, type }: ArchTimerOptions): void {
  const devices = machine.cpus.map((cpu) => new ArchTimer(cpu, timers, hz));
  const device = new PerCpu((cpu) => devices[cpu]);
  const handler = (_: number, own: unknown): IrqReturn | Coroutine<IrqReturn> => {
    return own instanceof ArchTimer ? own.interrupt() : IRQ_NONE;
  };
  const starting = function* (cpu: Cpu): Coroutine<void> {
    if (cpu === machine.bootCpu) yield* requestPercpuIrq(irq, handler, 'arch_timer', device);
    enablePercpuIrq(irq, type);
    const own = devices[cpu.id];
    if (own !== undefined) cpu.hrtimers.setDevice(own);
  };
  for (const cpu of machine.cpus) {
    const options = { rtPriority: STARTING_PRIORITY, cpusAllowed: 1 << cpu.id };
    machine.spawn(`cpuhp/${cpu.id}`, () => starting(cpu), options);
  }
}
