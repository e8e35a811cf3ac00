// Lines of a GPIO chip that are interrupts, and therefore no outputs, as gpiolib keeps them (drivers/gpio/gpiolib.c).
import { KernelError, type Machine } from '../../kernel/index.js';

/** Number of the first chip's first line in the kernel's messages (GPIO_DYNAMIC_BASE). */
const GPIO_BASE_NUMBER = 512;

/** What a chip tells of its lines. */
export interface LineIrqsOptions {
  readonly machine: Machine;
  /** The chip as the kernel's messages have it: `gpio gpiochip0: (pinctrl-bcm2835)`. */
  readonly name: string;
  readonly lines: number;
  /** Whether a line is an output; undefined for one with a function that is neither. */
  readonly isOutput: (line: number) => boolean | undefined;
}

/** Which lines are interrupts (FLAG_USED_AS_IRQ), and which of these are unmasked (FLAG_IRQ_IS_ENABLED). */
export class LineIrqs {
  readonly #options: LineIrqsOptions;
  readonly #used: Uint8Array;
  readonly #enabled: Uint8Array;
  readonly #openDrain: Uint8Array;

  constructor(options: LineIrqsOptions) {
    this.#options = options;
    this.#used = new Uint8Array(options.lines);
    this.#enabled = new Uint8Array(options.lines);
    this.#openDrain = new Uint8Array(options.lines);
  }

  /** An output that only ever pulls low may be an interrupt as well. */
  setOpenDrain(line: number, openDrain: boolean): void {
    this.#openDrain[line] = openDrain ? 1 : 0;
  }

  /** For the first handler of a line (gpiochip_reqres_irq). `EIO`: it is an output; `EINVAL`: it has another function. */
  request(line: number): void {
    const output = this.#options.isOutput(line);
    if (output === undefined) throw this.#refused(line, 'EINVAL', 'cannot get GPIO direction');
    if (output && this.#openDrain[line] === 0) {
      throw this.#refused(line, 'EIO', 'tried to flag a GPIO set as output for IRQ');
    }
    this.#used[line] = 1;
    this.#enabled[line] = 1;
  }

  /** The last handler is gone (gpiochip_relres_irq). */
  release(line: number): void {
    this.#used[line] = 0;
    this.#enabled[line] = 0;
  }

  /** The line is unmasked; a WARN for one that was made an output while it was masked (gpiochip_enable_irq). */
  enable(line: number): void {
    if (this.#used[line] === 0) return;
    if (this.#openDrain[line] === 0 && this.#options.isOutput(line) === true) {
      this.#options.machine.warn('', 'gpiochip_enable_irq');
    }
    this.#enabled[line] = 1;
  }

  /** The line is masked, and may become an output (gpiochip_disable_irq). */
  disable(line: number): void {
    this.#enabled[line] = 0;
  }

  /** Throws `EIO` for a line that is an unmasked interrupt; `label` is who holds it (gpiod_direction_output). */
  checkOutput(line: number, label = 'interrupt'): void {
    if (this.#used[line] === 0 || this.#enabled[line] === 0) return;
    const message = 'gpiod_direction_output: tried to set a GPIO tied to an IRQ as output';
    this.#options.machine.printk('err', `gpio-${GPIO_BASE_NUMBER + line} (${label}): ${message}`);
    throw new KernelError('EIO', message, { hint: 'free or disable its interrupt first', subject: `GPIO${line}` });
  }

  #refused(line: number, code: 'EIO' | 'EINVAL', why: string): KernelError {
    const { machine, name } = this.#options;
    const message = `gpiochip_lock_as_irq: ${why}`;
    machine.printk('err', `${name}: ${message}`);
    machine.printk('err', `${name}: unable to lock HW IRQ ${line} for IRQ`);
    return new KernelError(code, message, { hint: 'make the line an input first', subject: `GPIO${line}` });
  }
}
