// What the service stands on: a machine of the model, and the chips that its lines are on, real or simulated.
import type { Logger } from 'pino';
import {
  type Clock,
  type GpioChip,
  type KernelError,
  type LogLevel,
  Machine,
  type MachineOptions,
  MonotonicClock,
} from '../../kernel/index.js';
import { type Board, createSimulatedPi } from '../../sim-fallback/index.js';
import type { ChipSpec, Config, LineSpec } from '../config/config.js';
import { eventsOf, hardwareDriver, openFirst, openOrAwait } from './hardware.js';
import { type ChipEvents, type HeldChip, type HoldOptions, holdChip, MAIN_CHIP } from './held-chip.js';
import { NodeHostTime } from './host-time.js';
import type { KeptLines } from './kept-lines.js';
import type { Comeback } from './lasting-lines.js';
import { boardOf, createSimulatedChip, holdSimulatedPi, simulatedInfo } from './simulated-chips.js';

export { boardOf } from './simulated-chips.js';

/** Longest that the model runs before I/O gets its turn. */
const SLICE_NS = 2_000_000;

/** What a backend tells while it runs. */
export interface BackendEvents extends ChipEvents {
  /** A function of the user's threw. */
  onOops(where: string, error: unknown): void;
  /** A function of the user's broke a rule of its context; the text is what the kernel would print. */
  onBug(text: string): void;
}

/** A machine, and chips whose lines are held. */
export interface Backend {
  readonly machine: Machine;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  /** The file's own chip. */
  readonly main: HeldChip;
  /** All chips by what the configuration calls them, the file's own first. */
  readonly chips: ReadonlyMap<string, HeldChip>;
  /** The chip of a line. */
  chipOf(line: Pick<LineSpec, 'chip'>): HeldChip;
  /** What keeps lines from being held as they are to be, in one sentence; undefined when all are. */
  readonly problem: string | undefined;
  /** Opens a chip and takes its lines; it is one of {@link chips} when it is installed. Errors as the driver's; nothing is held then. */
  open(spec: ChipSpec, lines: readonly LineSpec[]): HeldChip;
  /** Adds a chip that {@link open} opened; its edges come in from now on, or from {@link start}. */
  install(chip: HeldChip): void;
  /** Lets a chip go that is not the file's own. */
  remove(id: string): void;
  /** Edges start to come in. */
  start(): void;
  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void;
  /** Lets all lines and chips go. */
  close(): void;
}

/** Levels of the model's log as pino's. An emergency of the model is a mistake of the user's code, and no line of the log only. */
const PINO_LEVEL = {
  alert: 'error',
  crit: 'error',
  err: 'error',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  debug: 'debug',
} as const satisfies Record<Exclude<LogLevel, 'emerg'>, string>;

/** The model's machine, in the time of its clock. */
export interface MachineInTime {
  readonly machine: Machine;
  /** CLOCK_MONOTONIC at the origin of its clock, in ns. */
  readonly originNs: bigint;
  /** Nothing happens in it any more. */
  stop(): void;
}

/** A machine in real time. */
function createMachine(log: Logger, events: BackendEvents, { cpus = 1 }: Config): MachineInTime {
  const host = new NodeHostTime();
  const clock = new MonotonicClock(host);
  const machine = createMachineOn(clock, { sliceNs: SLICE_NS, cpus }, log, events);
  return { machine, originNs: host.originNs, stop: () => clock.stop() };
}

/** A machine over a clock, that tells what goes wrong in it. */
export function createMachineOn(clock: Clock, options: MachineOptions, log: Logger, events: BackendEvents): Machine {
  return new Machine({
    ...options,
    clock,
    printk: (level, message) => {
      if (level === 'emerg') events.onBug(message);
      else log[PINO_LEVEL[level]](message);
    },
    onOops: (where, error) => events.onOops(where, error),
  });
}

/** A chip that was opened for the service. */
export interface OpenedChip {
  readonly chip: GpioChip;
  /** How it is found again when it was gone; default: it stays gone. */
  readonly comeback?: Comeback;
  /** What is around a simulated chip. */
  readonly board?: Board;
  /** Why it is not there yet. */
  readonly absent?: KernelError;
  /** Has its requests outlive the process. */
  readonly kept?: KeptLines | undefined;
  /** What its requests have besides. */
  readonly requests?: NonNullable<HoldOptions['requests']>;
}

/** What a {@link Chips} is made from. */
export interface ChipsOptions {
  readonly config: Config;
  readonly events: BackendEvents;
  readonly made: MachineInTime;
  /** Holds the file's own chip with its lines. */
  holdMain(lines: readonly LineSpec[]): HeldChip;
  /** Opens a further chip. @param number of it, from 1 */
  open(spec: ChipSpec, lines: readonly LineSpec[], number: number): OpenedChip;
}

/** The lines of a configuration that are on one chip. */
export function linesOf(config: Pick<Config, 'lines'>, id: string): LineSpec[] {
  return config.lines.filter(({ chip = MAIN_CHIP }) => chip === id);
}

/** All chips of one service. */
export class Chips implements Backend {
  readonly machine: Machine;
  readonly originNs: number;
  readonly main: HeldChip;
  readonly chips = new Map<string, HeldChip>();
  readonly #options: ChipsOptions;
  #started = false;
  #opened = 0;

  /** Takes all lines. Errors as the drivers'; nothing is held then. */
  constructor(options: ChipsOptions) {
    const { config, made } = options;
    this.#options = options;
    this.machine = made.machine;
    this.originNs = Number(made.originNs);
    try {
      this.main = options.holdMain(linesOf(config, MAIN_CHIP));
      this.chips.set(MAIN_CHIP, this.main);
      for (const spec of config.chips ?? []) this.install(this.open(spec, linesOf(config, spec.name)));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  chipOf({ chip = MAIN_CHIP }: Pick<LineSpec, 'chip'>): HeldChip {
    return this.chips.get(chip) ?? this.main;
  }

  get problem(): string | undefined {
    const problems = [...this.chips.values()].flatMap(({ id, problem }) => {
      if (problem === undefined) return [];
      return id === MAIN_CHIP ? problem : `${id}: ${problem}`;
    });
    return problems.length === 0 ? undefined : problems.join('; ');
  }

  open(spec: ChipSpec, lines: readonly LineSpec[]): HeldChip {
    const { events, made } = this.#options;
    const { machine, originNs } = made;
    const opened = this.#options.open(spec, lines, this.#opened + 1);
    const held = holdChip({ ...opened, id: spec.name, lines, machine, originNs, events });
    this.#opened++;
    return held;
  }

  install(chip: HeldChip): void {
    this.chips.set(chip.id, chip);
    if (this.#started) chip.start();
  }

  remove(id: string): void {
    this.chips.get(id)?.close(true);
    this.chips.delete(id);
  }

  start(): void {
    this.#started = true;
    for (const chip of this.chips.values()) chip.start();
  }

  pause(): void {
    for (const chip of this.chips.values()) chip.pause();
  }

  close(): void {
    for (const chip of this.chips.values()) chip.close();
    this.#options.made.stop();
  }
}

/**
 * Opens what the configuration asks for. Errors as the drivers': `auto` simulates only on a machine without any GPIO chip,
 * and a chip that is there and cannot be used is an error, never a reason to simulate.
 *
 * @param kept has the lines of hardware outlive the process
 */
export function openBackend(config: Config, log: Logger, events: BackendEvents, kept?: KeptLines): Backend {
  const first = openFirst(config);
  if (first === undefined) return openSimulation(config, log, events);
  const made = createMachine(log, events, config);
  const { machine, originNs } = made;
  const besides = { kept, requests: { events: eventsOf(config) } };
  return new Chips({
    ...{ config, events, made },
    holdMain: (lines) => holdChip({ ...first, ...besides, id: MAIN_CHIP, lines, machine, originNs, events }),
    open: ({ choice }) => ({ ...openOrAwait(hardwareDriver(config), choice), ...besides }),
  });
}

/** Builds a simulated Pi in real time whose board fits the configuration, and the chips beside it. */
function openSimulation(config: Config, log: Logger, events: BackendEvents): Backend {
  const made = createMachine(log, events, config);
  const { machine, originNs } = made;
  return new Chips({
    ...{ config, events, made },
    holdMain: (lines) =>
      holdSimulatedPi(createSimulatedPi({ machine, board: boardOf(lines), originNs }), lines, events),
    open: (spec, lines, number) => createSimulatedChip(simulatedInfo(spec, number), lines, { machine, originNs, log }),
  });
}
