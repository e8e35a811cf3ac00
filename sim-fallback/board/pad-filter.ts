// A debounce filter in front of a pad, with the results of the kernel's software debounce.
import { KernelError } from '../../kernel/errno.js';
import type { Alarm, Clock } from '../../kernel/time/clock.js';
import type { PadDrive } from '../bcm2835/pads.js';

/**
 * Passes on what drives a pad once it has been stable for a period.
 *
 * The BCM2835 has no debounce in hardware; Linux does it in software (`drivers/gpio/gpiolib-cdev.c`,
 * `debounce_irq_handler` and `debounce_work_func`): every edge of the raw line starts a timer anew, and when it runs out
 * the level is compared with the last one reported. The filter does the same before the GPIO block sees the line, so
 * the edges that the software gets are the same in number, direction and time (one period after the last raw edge). What
 * differs: GPLEV shows the filtered level, and a level that only pulls give is not filtered. The kernel's timer also
 * rounds the period up to a jiffy; this one does not.
 */
export class PadFilter {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #output: (value: PadDrive) => void;
  #periodNs = 0;
  #raw: PadDrive = 'float';
  #stable: PadDrive = 'float';

  /** `output` gets every filtered change; until the first one the pad floats. */
  constructor(clock: Clock, output: (value: PadDrive) => void) {
    this.#clock = clock;
    this.#alarm = clock.createAlarm(() => this.#pass());
    this.#output = output;
  }

  get periodNs(): number {
    return this.#periodNs;
  }

  /**
   * Sets the period in ns; 0 turns the filter off and passes on at once what is waiting. A period that is changed while
   * a level is waiting counts from the next edge on, as in the kernel. `EINVAL` for what is no duration.
   */
  setPeriod(periodNs: number): void {
    if (!(periodNs >= 0 && periodNs < Number.POSITIVE_INFINITY)) {
      throw new KernelError('EINVAL', `debounce period ${periodNs} ns: not a duration`, {
        hint: 'give nanoseconds, 0 for no debounce',
      });
    }
    this.#periodNs = periodNs;
    if (periodNs === 0) {
      this.#alarm.cancel();
      this.#pass();
    }
  }

  /** What drives the line now, before the filter. */
  drive(value: PadDrive): void {
    if (value === this.#raw) return;
    this.#raw = value;
    if (this.#periodNs === 0) this.#pass();
    else if (value === this.#stable) this.#alarm.cancel();
    else this.#alarm.schedule(this.#clock.now() + this.#periodNs);
  }

  #pass(): void {
    if (this.#raw === this.#stable) return;
    this.#stable = this.#raw;
    this.#output(this.#raw);
  }
}
