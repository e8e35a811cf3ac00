// The stage of a scenario: does to a simulated Pi what a step says.
import { type Clock, KernelError, type Level } from '../../kernel/index.js';
import type { Board } from '../board/board.js';
import { BOUNCE_TRACE_MAX, type BounceOptions, bounceOptions, drawBounces } from '../board/bounce.js';
import { mulberry32, type Prng } from '../board/prng.js';
import type { FaultyDevice } from './faulty-device.js';
import { type Fault, lineOf, type Step, type StepAction } from './step.js';

/** A line as a scenario knows it. */
export interface StageLine {
  readonly gpio: number;
  readonly activeLow: boolean;
}

/** What a {@link Stage} acts on. */
export interface StageOptions {
  readonly clock: Clock;
  readonly board: Board;
  readonly device: FaultyDevice;
  /** By name. */
  readonly lines: ReadonlyMap<string, StageLine>;
  /** Of the faults' bounces; default 1. */
  readonly seed?: number;
}

/** A line that the configuration does not name, by its number. */
const BY_NUMBER = /^GPIO(\d{1,4})$/;
const NS_PER_SEC = 1_000_000_000;

/** Finds a line by its name, or as `GPIO17`; `undefined` when there is none. */
export function findLine(lines: ReadonlyMap<string, StageLine>, name: string): StageLine | undefined {
  const number = BY_NUMBER.exec(name)?.[1];
  return lines.get(name) ?? (number === undefined ? undefined : { gpio: Number(number), activeLow: false });
}

/** A simulated Pi as the scene of a scenario. */
export class Stage {
  readonly #clock: Clock;
  readonly #board: Board;
  readonly #device: FaultyDevice;
  readonly #lines: ReadonlyMap<string, StageLine>;
  readonly #prng: Prng;
  /** Of each line that is forced, which fault it was that did it last. */
  readonly #forcedBy = new Map<number, object>();
  /** Of each line that is or was stuck, the last fault that did it. */
  readonly #stuckBy = new Map<number, object>();
  /** The fault that has taken the chip away last. */
  #unplugged = {};

  constructor(options: StageOptions) {
    this.#clock = options.clock;
    this.#board = options.board;
    this.#device = options.device;
    this.#lines = options.lines;
    // Another sequence than any button's.
    this.#prng = mulberry32((options.seed ?? 1) ^ 0x5eed);
  }

  /** Why a step cannot be done here, if it cannot; `undefined` when it can. */
  refuses(action: StepAction): KernelError | undefined {
    const name = lineOf(action);
    if (name !== undefined && findLine(this.#lines, name) === undefined) {
      const known = [...this.#lines.keys()].join(', ');
      return new KernelError('ENOENT', `no line '${name}'`, { hint: `there are ${known}`, subject: name });
    }
    if ((action.kind === 'press' || action.kind === 'release') && !this.#board.buttons.has(action.line)) {
      const known = [...this.#board.buttons.keys()].join(', ');
      const hint = known === '' ? 'the board has no buttons' : `there are buttons at ${known}`;
      return new KernelError('ENOENT', `no button at '${action.line}'`, { hint, subject: action.line });
    }
    return undefined;
  }

  /** Does now what a step says; what it expects is for others to look at. Errors as the board's. */
  perform({ action }: Step): void {
    const refusal = this.refuses(action);
    if (refusal !== undefined) throw refusal;
    switch (action.kind) {
      case 'press': {
        const { holdNs, bounce } = action;
        this.#board.press(action.line, {
          ...(holdNs === undefined ? {} : { holdNs }),
          ...(bounce === undefined ? {} : { bounce }),
        });
        return;
      }
      case 'release':
        this.#board.release(action.line, action.bounce === undefined ? {} : { bounce: action.bounce });
        return;
      case 'level':
        this.#level(this.#line(action.line), action.value);
        return;
      case 'fault':
        this.#fault(action.fault);
        return;
      // Not the board's: whoever plays the scenario sees to these.
      case 'hook':
      case 'message':
      case 'expect':
      case 'expect-text':
    }
  }

  #level({ gpio, activeLow }: StageLine, value: Level | 'float'): void {
    this.#board.drive(gpio, value === 'float' ? value : electrical(value, activeLow));
  }

  #fault(fault: Fault): void {
    switch (fault.fault) {
      case 'bounce':
        this.#chatter(this.#line(fault.line).gpio, fault.bounce);
        return;
      case 'glitch':
        this.#glitch(this.#line(fault.line).gpio, fault.widthNs);
        return;
      case 'storm':
        this.#storm(this.#line(fault.line).gpio, fault.ratePerSec, fault.forNs);
        return;
      case 'stuck': {
        const { gpio, activeLow } = this.#line(fault.line);
        this.#stuckBy.set(gpio, this.#force(gpio, electrical(fault.value, activeLow), fault.forNs));
        return;
      }
      case 'lost':
        this.#device.lose(this.#line(fault.line).gpio, fault.count);
        return;
      case 'late':
        this.#device.delay(fault.byNs, fault.forNs);
        return;
      case 'overflow':
        this.#device.stall(fault.forNs);
        return;
      case 'unplug':
        this.#unplug(fault.forNs);
    }
  }

  /** The chip comes back when the fault says so that came last. */
  #unplug(forNs: number | undefined): void {
    const me = {};
    this.#unplugged = me;
    this.#device.unplug();
    if (forNs === undefined) return;
    this.#after(forNs, () => {
      if (this.#unplugged === me) this.#device.plug();
    });
  }

  /** A line that is stuck stays so, whatever else goes wrong with it. */
  #isStuck(gpio: number): boolean {
    const fault = this.#stuckBy.get(gpio);
    return fault !== undefined && this.#forcedBy.get(gpio) === fault;
  }

  #glitch(gpio: number, widthNs: number): void {
    if (this.#isStuck(gpio)) return;
    this.#force(gpio, turned(this.#board.level(gpio)), widthNs);
  }

  /** Holds a line for a while; what was forced on it later stays when the time is over. */
  #force(gpio: number, level: Level, forNs: number): object {
    const me = {};
    this.#forcedBy.set(gpio, me);
    this.#board.force(gpio, level);
    this.#after(forNs, () => this.#letGo(gpio, me));
    return me;
  }

  #letGo(gpio: number, me: object): void {
    if (this.#forcedBy.get(gpio) !== me) return;
    this.#forcedBy.delete(gpio);
    this.#board.force(gpio, undefined);
  }

  /** Turns the line round at each of the times of a bounce, an even number. */
  #chatter(gpio: number, options: BounceOptions): void {
    const times = new Float64Array(BOUNCE_TRACE_MAX);
    const count = drawBounces(bounceOptions(options), this.#prng, times);
    this.#turnAt(gpio, count, (i) => times[i] ?? 0);
  }

  #storm(gpio: number, ratePerSec: number, forNs: number): void {
    // An even number: the line ends as it began.
    const edges = 2 * Math.floor(((forNs / NS_PER_SEC) * ratePerSec) / 2);
    this.#turnAt(gpio, edges, (i) => Math.floor((i * NS_PER_SEC) / ratePerSec));
  }

  /** Turns the line round `count` times, then lets it go. */
  #turnAt(gpio: number, count: number, time: (i: number) => number): void {
    if (this.#isStuck(gpio)) return;
    const me = {};
    const startNs = this.#clock.now();
    const rest = this.#board.level(gpio);
    this.#forcedBy.set(gpio, me);
    let i = 0;
    const alarm = this.#clock.createAlarm(() => {
      if (this.#forcedBy.get(gpio) !== me) return;
      if (i === count) {
        this.#letGo(gpio, me);
        return;
      }
      this.#board.force(gpio, i % 2 === 0 ? turned(rest) : rest);
      i++;
      alarm.schedule(startNs + (i < count ? time(i) : time(count - 1)));
    });
    if (count > 0) alarm.schedule(startNs + time(0));
    else this.#forcedBy.delete(gpio);
  }

  #after(ns: number, callback: () => void): void {
    this.#clock.createAlarm(callback).schedule(this.#clock.now() + ns);
  }

  #line(name: string): StageLine {
    const line = findLine(this.#lines, name);
    if (line === undefined) throw new KernelError('ENOENT', `no line '${name}'`, { subject: name });
    return line;
  }
}

function electrical(value: Level, activeLow: boolean): Level {
  return activeLow ? turned(value) : value;
}

function turned(level: Level): Level {
  return level === 1 ? 0 : 1;
}
