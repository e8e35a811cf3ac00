// Rare news for those outside the model: told in order, from a clock alarm that is due at once, never from an interrupt.
import type { Alarm, GoneListener, Machine } from '../../kernel/index.js';

/** Calls listeners outside of any context of the model. One that throws is reported as an oops and does not stop others. */
export class Notices {
  readonly #machine: Machine;
  readonly #alarm: Alarm;
  #posted: { readonly where: string; readonly call: () => void }[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#alarm = machine.clock.createAlarm(() => this.#run());
  }

  /** Calls `call` when the clock's alarms are served next. `where` names it if it throws. Any context. */
  post(where: string, call: () => void): void {
    this.#posted.push({ where, call });
    if (!this.#alarm.scheduled) this.#alarm.schedule(this.#machine.clock.now());
  }

  #run(): void {
    const posted = this.#posted;
    this.#posted = [];
    for (const { where, call } of posted) {
      try {
        call();
      } catch (error) {
        this.#machine.oops(where, error);
      }
    }
  }
}

/** Tells each listener once that the chip is gone, also one that comes after the fact. */
export class GoneNotice {
  readonly #notices: Notices;
  #listeners: GoneListener[] = [];
  #error: Error | undefined;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  add(listener: GoneListener): void {
    if (this.#error === undefined) this.#listeners.push(listener);
    else this.#post(listener, this.#error);
  }

  tell(error: Error): void {
    this.#error = error;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) this.#post(listener, error);
  }

  #post(listener: GoneListener, error: Error): void {
    this.#notices.post('onGone listener', () => listener(error));
  }
}
