// What a simulation is made of: a Pi with its kernel and its board, the daemon's model, and the device files between them.
import type { Logger } from 'pino';
import { type KernelError, Machine, type VirtualClock } from '../../kernel/index.js';
import {
  type Board,
  type BoardDescription,
  createSimulatedPi,
  FaultyDevice,
  lineOf,
  type Pads,
  Stage,
  type StageLine,
  type Step,
  type StepAction,
} from '../../sim-fallback/index.js';
import type { Pause } from '../actions/http.js';
import type { Idling } from '../actions/slots.js';
import { type Backend, type BackendEvents, boardOf, Chips, createMachineOn, linesOf } from '../bridge/backend.js';
import type { StartTimer } from '../bridge/bursts.js';
import { holdChip, MAIN_CHIP } from '../bridge/held-chip.js';
import { createSimulatedChip, simulatedInfo } from '../bridge/simulated-chips.js';
import type { Config, LineSpec } from '../config/config.js';
import type { BoardInput } from './schema.js';
import { bounceOf } from './steps.js';

/** Of the options of a simulation, those that its parts are made by. */
export interface PartsOptions {
  /** Of all that bounces; default 1. */
  readonly seed?: number;
  /** What the board has besides, or in another way than the configuration suggests. */
  readonly board?: BoardInput;
  /** Records that the model's trace keeps. */
  readonly traceRecords?: number;
}

/** CLOCK_MONOTONIC at the start of a scenario: the Pi has been up for ten seconds. */
export const UPTIME_NS = 10e9;
/** Between the start of the service and that of the scenario: pulls take 2 µs each. */
export const BOOT_NS = 1_000_000;
const ORIGIN_NS = BigInt(UPTIME_NS - BOOT_NS);
/** The parts of a simulated world. */
export interface SimulatedParts {
  readonly clock: VirtualClock;
  readonly machine: Machine;
  readonly backend: Backend;
  readonly board: Board;
  /** Of further chips, by their ids. */
  readonly boards: ReadonlyMap<string, Board>;
  readonly pads: Pads;
  readonly stage: Pick<Stage, 'perform' | 'refuses'>;
  readonly device: FaultyDevice;
}

/** The stages of several chips: steps of a line are on that of its chip, and all others on that of the file's own. */
class Stages implements Pick<Stage, 'perform' | 'refuses'> {
  readonly #main: Stage;
  readonly #byLine: ReadonlyMap<string, Stage>;

  constructor(main: Stage, byLine: ReadonlyMap<string, Stage>) {
    this.#main = main;
    this.#byLine = byLine;
  }

  refuses(action: StepAction): KernelError | undefined {
    return this.#of(action).refuses(action);
  }

  perform(step: Step): void {
    this.#of(step.action).perform(step);
  }

  #of(action: StepAction): Stage {
    return this.#byLine.get(lineOf(action) ?? '') ?? this.#main;
  }
}

function stageLines(lines: readonly LineSpec[]): Map<string, StageLine> {
  return new Map(lines.map(({ name, gpio, activeLow }) => [name, { gpio, activeLow }]));
}

/** Makes two machines in one time: the Pi with its kernel, and the daemon's model, with a device file between them. */
export function makeParts(
  clock: VirtualClock,
  config: Config,
  log: Logger,
  events: BackendEvents,
  options: PartsOptions,
): SimulatedParts {
  const { seed = 1, traceRecords } = options;
  const kernel = new Machine({
    clock,
    lockdep: false,
    traceRecords: 16,
    printk: (_, message) => log.warn(`simulated Pi: ${message}`),
  });
  const own = linesOf(config, MAIN_CHIP);
  const lines = stageLines(own);
  const description = describeBoard(own, lines, options.board);
  const { chip, board, soc } = createSimulatedPi({ machine: kernel, board: description, seed, originNs: ORIGIN_NS });
  const device = new FaultyDevice(clock, () => chip.open());
  const records = traceRecords === undefined ? {} : { traceRecords };
  const machine = createMachineOn(clock, { ...records, cpus: config.cpus ?? 1 }, log, events);
  const originNs = ORIGIN_NS;
  const comeback = { reopen: () => device.open(), startTimer: timerOn(clock) };
  const others = new Map<string, Stage>();
  const boards = new Map<string, Board>();
  const backend = new Chips({
    ...{ config, events, made: { machine, originNs, stop: () => {} } },
    holdMain: (held) =>
      holdChip({ id: MAIN_CHIP, chip: device.open(), lines: held, machine, originNs, events, comeback }),
    open: (spec, held, number) => {
      const made = createSimulatedChip(simulatedInfo(spec, number), held, { machine, originNs, log });
      const opened = new FaultyDevice(clock, () => made.chip.open());
      const other = new Stage({ clock, board: made.board, device: opened, lines: stageLines(held), seed });
      for (const { name } of held) others.set(name, other);
      boards.set(spec.name, made.board);
      const back = { reopen: () => opened.open(), startTimer: timerOn(clock) };
      return { chip: opened.open(), board: made.board, comeback: back };
    },
  });
  return {
    clock,
    machine,
    backend,
    board,
    boards,
    pads: soc.gpio,
    device,
    stage: new Stages(new Stage({ clock, board, device, lines, seed }), others),
  };
}

/** The board that the configuration suggests, with what a scenario says of it. */
function describeBoard(
  own: readonly LineSpec[],
  lines: ReadonlyMap<string, StageLine>,
  input: BoardInput | undefined,
): BoardDescription {
  const suggested = boardOf(own);
  const gpio = (name: string): number => lines.get(name)?.gpio ?? Number(name.slice('GPIO'.length));
  const { buttons = {}, leds = {}, wires = [], pulls = {} } = input ?? {};
  // What the scenario puts on a line is there in place of what would be.
  const free = <T>(parts: Readonly<Record<string, T>> | undefined, ...others: object[]): Record<string, T> =>
    Object.fromEntries(
      Object.entries(parts ?? {}).filter(([name]) => others.every((other) => !Object.hasOwn(other, name))),
    );
  const wired = Object.fromEntries(wires.map(({ to }) => [to, true]));
  return {
    buttons: {
      ...free(suggested.buttons, leds, pulls, wired),
      ...Object.fromEntries(
        Object.entries(buttons).map(([name, { pull, to, bounce }]) => [
          name,
          {
            gpio: gpio(name),
            pull: pull ?? suggested.buttons?.[name]?.pull ?? 'up',
            ...(to === undefined ? {} : { to }),
            ...(bounce === undefined ? {} : { bounce: bounceOf(bounce) }),
          },
        ]),
      ),
    },
    leds: {
      ...free(suggested.leds, buttons),
      ...Object.fromEntries(
        Object.entries(leds).map(([name, { active }]) => [name, { gpio: gpio(name), activeLow: active === 'low' }]),
      ),
    },
    wires: wires.map(({ from, to }) => ({ from: gpio(from), to: gpio(to) })),
    pulls: Object.entries(pulls).map(([name, pull]) => ({ gpio: gpio(name), pull })),
  };
}

/** Timers of the world around the service, in the time of the simulation. */
export function timerOn(clock: VirtualClock): StartTimer {
  return (callback, ms) => {
    const alarm = clock.createAlarm(callback);
    alarm.schedule(clock.now() + ms * 1e6);
    return () => alarm.cancel();
  };
}

/** A handler that waits for something outside holds the time of the simulation: not while it waits for time itself to pass. */
export function idlingOn(clock: VirtualClock): Idling {
  return { begins: () => clock.release(), ends: () => clock.hold() };
}

/** Pauses in the time of the simulation, of handlers that hold it. */
export function pauseOn(clock: VirtualClock): Pause {
  const idling = idlingOn(clock);
  const startTimer = timerOn(clock);
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const over = (settle: () => void) => (): void => {
        idling.ends();
        cancel();
        signal.removeEventListener('abort', giveUp);
        settle();
      };
      const giveUp = over(() => reject(signal.reason));
      const cancel = startTimer(over(resolve), ms);
      signal.addEventListener('abort', giveUp);
      idling.begins();
    });
}
