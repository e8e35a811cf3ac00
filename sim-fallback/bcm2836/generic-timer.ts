// The timers in each core of the newer chips (Arm Generic Timer): compares of a common counter, by system registers.
import { KernelError } from '../../kernel/errno.js';
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import type { CoreCounter } from './local-timer.js';

/** Each core has four: secure, non-secure, hypervisor's and virtual, in the order of the LOCAL_IRQ_ numbers. */
export const GENERIC_TIMERS = 4;

// Fields of a timer's control register (CNTP_CTL and its like).
export const CNT_CTL_ENABLE = 1 << 0;
export const CNT_CTL_IMASK = 1 << 1; // the interrupt is kept back
export const CNT_CTL_ISTATUS = 1 << 2; // the counter has reached the compare value; read only

/** What the timers need around them. */
export interface GenericTimersOptions {
  readonly clock: Clock;
  readonly counter: CoreCounter;
  readonly cores: number;
  /** Interrupt outputs, levels; called when one changes. May access registers. */
  readonly onIrq: (core: number, timer: number, asserted: boolean) => void;
}

/** One timer of one core. */
class GenericTimer {
  control = 0;
  compare = 0;
  asserted = false;
  readonly alarm: Alarm;

  constructor(alarm: Alarm) {
    this.alarm = alarm;
  }
}

/** The timers of all cores. Each method throws `EINVAL` for a core or a timer that is not there. */
export class GenericTimers {
  readonly #options: GenericTimersOptions;
  readonly #timers: readonly GenericTimer[];

  constructor(options: GenericTimersOptions) {
    this.#options = options;
    this.#timers = Array.from({ length: options.cores * GENERIC_TIMERS }, (_, i) => {
      return new GenericTimer(options.clock.createAlarm(() => this.#update(i)));
    });
    options.counter.onChange = () => this.#updateAll();
  }

  /** The counter (CNTPCT). */
  get count(): number {
    return this.#options.counter.count;
  }

  readControl(core: number, timer: number): number {
    const own = this.#timer(core, timer);
    const reached = (own.control & CNT_CTL_ENABLE) !== 0 && this.count >= own.compare;
    return own.control | (reached ? CNT_CTL_ISTATUS : 0);
  }

  writeControl(core: number, timer: number, value: number): void {
    this.#timer(core, timer).control = value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
    this.#update(core * GENERIC_TIMERS + timer);
  }

  /** Sets the compare value (CNTP_CVAL). */
  writeCompare(core: number, timer: number, value: number): void {
    this.#timer(core, timer).compare = value;
    this.#update(core * GENERIC_TIMERS + timer);
  }

  #updateAll(): void {
    for (let i = 0; i < this.#timers.length; i++) this.#update(i);
  }

  #update(i: number): void {
    const own = this.#timers[i];
    if (own === undefined) return;
    const { counter } = this.#options;
    const enabled = (own.control & CNT_CTL_ENABLE) !== 0;
    const reached = enabled && counter.count >= own.compare;
    const due = enabled && !reached ? counter.nsOf(own.compare) : Number.POSITIVE_INFINITY;
    if (due === Number.POSITIVE_INFINITY) own.alarm.cancel();
    else own.alarm.schedule(due);
    const asserted = reached && (own.control & CNT_CTL_IMASK) === 0;
    if (asserted === own.asserted) return;
    own.asserted = asserted;
    this.#options.onIrq(Math.floor(i / GENERIC_TIMERS), i % GENERIC_TIMERS, asserted);
  }

  #timer(core: number, timer: number): GenericTimer {
    const own = timer < GENERIC_TIMERS ? this.#timers[core * GENERIC_TIMERS + timer] : undefined;
    if (own !== undefined) return own;
    throw new KernelError('EINVAL', `timer ${timer} of core ${core}: no such timer`, {
      hint: `there are cores 0 to ${this.#options.cores - 1} with timers 0 to ${GENERIC_TIMERS - 1}`,
    });
  }
}
