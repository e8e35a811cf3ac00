// Outputs as actions drive them: levels, and pulses that the model's timers end (gpiod_set_value, hrtimers).
import {
  type GpioDesc,
  gpiodGetValue,
  gpiodSetValue,
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerForwardNow,
  hrtimerStart,
  hrtimerTryToCancel,
  type Level,
} from '../../kernel/index.js';

/** A pulse whose line cannot be put back, since its chip is away, tries again after this. */
const AGAIN_NS = 1_000_000_000;

/** What is told of pulses. */
export interface PulseReports {
  nowNs(): number;
  onValue(line: string, value: Level, atNs: number): void;
  /** @param where the line */
  onError(where: string, error: unknown): void;
  /**
   * A pulse begins, and gives its line `rest` when it is over; undefined when it is. For whoever is to end it should the process
   * not come to that. Hot path: must not allocate.
   */
  onRest?(line: GpioDesc, rest: Level | undefined): void;
}

/** One output. All that sets it for actions goes through here, so that a pulse knows when it is over before its time. */
export class Output {
  readonly #desc: GpioDesc;
  readonly #reports: PulseReports;
  /** Ends the pulse that is under way. */
  readonly #timer = new Hrtimer(() => this.#over(), HRTIMER_MODE_REL);
  #pulsing = false;
  #failed = false;
  #rest: Level = 0;
  /** In ns of the machine's clock. */
  #endNs = 0;

  constructor(desc: GpioDesc, reports: PulseReports) {
    this.#desc = desc;
    this.#reports = reports;
  }

  /** A pulse is under way. */
  get pulsing(): boolean {
    return this.#pulsing;
  }

  /** Gives the line a level; a pulse is over then. Any context. Errors as the driver's. @returns the level */
  set(value: Level): Level {
    gpiodSetValue(this.#desc, value);
    this.forget();
    return value;
  }

  /** As {@link set}, to the level that it has not. */
  toggle(): Level {
    return this.set(gpiodGetValue(this.#desc) === 1 ? 0 : 1);
  }

  /**
   * Gives the line a level for `forNs`, and the other one after. During a pulse to the same level, that one is prolonged: it
   * ends `forNs` from now, or when it would have ended if that is later. A context of the model. Errors as the driver's.
   *
   * @returns the level
   */
  pulse(value: Level, forNs: number): Level {
    const rest = value === 1 ? 0 : 1;
    gpiodSetValue(this.#desc, value);
    this.#reports.onRest?.(this.#desc, rest);
    const endNs = this.#reports.nowNs() + forNs;
    if (this.#pulsing && rest === this.#rest && endNs <= this.#endNs) return value;
    this.#pulsing = true;
    this.#rest = rest;
    this.#endNs = endNs;
    hrtimerStart(this.#timer, forNs, HRTIMER_MODE_REL);
    return value;
  }

  /** A pulse is over, and the line keeps the level that it has: somebody else has set it. */
  forget(): void {
    if (!this.#pulsing) return;
    this.#ended();
    hrtimerTryToCancel(this.#timer);
  }

  #ended(): void {
    this.#pulsing = false;
    this.#failed = false;
    this.#reports.onRest?.(this.#desc, undefined);
  }

  /** Ends a pulse before its time, if there is one: for an output that nobody will end. */
  end(): void {
    if (!this.#pulsing) return;
    hrtimerTryToCancel(this.#timer);
    this.#putBack();
    this.forget();
  }

  /** Hard interrupt context. */
  #over(): number {
    if (!this.#pulsing || this.#putBack()) return HRTIMER_NORESTART;
    hrtimerForwardNow(this.#timer, AGAIN_NS);
    return HRTIMER_RESTART;
  }

  /** @returns whether the line could be set; an error is told once a pulse. */
  #putBack(): boolean {
    const { name } = this.#desc;
    try {
      gpiodSetValue(this.#desc, this.#rest);
    } catch (error) {
      if (!this.#failed) this.#reports.onError(name, error);
      this.#failed = true;
      return false;
    }
    this.#ended();
    this.#reports.onValue(name, this.#rest, this.#reports.nowNs());
    return true;
  }
}

/** All outputs that actions drive: one for each line, whichever interrupts and triggers name it. */
export class Outputs {
  readonly #byLine = new Map<string, Output>();
  readonly #line: (name: string) => GpioDesc;
  readonly #reports: PulseReports;

  /** @param line looks a line up: `ENOENT` for one that there is not */
  constructor(line: (name: string) => GpioDesc, reports: PulseReports) {
    this.#line = line;
    this.#reports = reports;
  }

  /** `ENOENT` for a line that there is not. */
  get(name: string): Output {
    const known = this.#byLine.get(name);
    if (known !== undefined) return known;
    const output = new Output(this.#line(name), this.#reports);
    this.#byLine.set(name, output);
    return output;
  }

  /** The line was set by others than actions: a pulse of it is over. */
  forget(name: string): void {
    this.#byLine.get(name)?.forget();
  }

  /** Ends the pulse of a line, and drops what is known of it: for a line that is let go. */
  remove(name: string): void {
    this.#byLine.get(name)?.end();
    this.#byLine.delete(name);
  }

  /** Ends all pulses. */
  end(): void {
    for (const output of this.#byLine.values()) output.end();
  }
}
