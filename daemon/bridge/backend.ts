// What the service stands on: a machine of the model over real lines, or over simulated ones.
import type { Logger } from 'pino';
import { openDriver, reopenDriver } from '../../drivers/index.js';
import {
  type Clock,
  EdgeDomain,
  type EdgeInfo,
  type GpioChip,
  KernelError,
  type LineConfig,
  type LineValues,
  type LogLevel,
  Machine,
  type MachineOptions,
  MonotonicClock,
} from '../../kernel/index.js';
import { type BoardDescription, createSimulatedPi, type SimulatedPi } from '../../sim-fallback/index.js';
import type { Config, LineSpec } from '../config/config.js';
import type { Known } from '../control/target.js';
import { NodeHostTime } from './host-time.js';
import type { KeptLines } from './kept-lines.js';
import { type Comeback, LastingLines, type LineNotices } from './lasting-lines.js';

const NS_PER_US = 1_000;
/** Longest that the model runs before I/O gets its turn. */
const SLICE_NS = 2_000_000;
const CONSUMER = 'gpio-irqd';

/** What a backend tells while it runs. */
export interface BackendEvents extends LineNotices {
  onLost(offset: number, count: number): void;
  /** A function of the user's threw. */
  onOops(where: string, error: unknown): void;
  /** A function of the user's broke a rule of its context; the text is what the kernel would print. */
  onBug(text: string): void;
}

/** A machine, and lines that are held, with their interrupts. */
export interface Backend {
  readonly machine: Machine;
  /** The chip that holds the lines, or the one that did so last. */
  readonly chip: GpioChip;
  readonly request: LineValues;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  /** The simulated Pi; undefined on real hardware. */
  readonly pi: SimulatedPi | undefined;
  toIrq(offset: number): number;
  /** The edge that is being handled; for top halves. */
  readonly edge: EdgeInfo;
  lostOn(offset: number): Known<number>;
  /** What keeps lines from being held, in one sentence; undefined when all are. */
  readonly problem: string | undefined;
  /** Why a line is not held, in words after "is"; undefined when it is. */
  waitingFor(offset: number): string | undefined;
  /** Edges start to come in. */
  start(): void;
  /** Reads no more edges of lines that the next process takes over: it finds them. */
  pause(): void;
  /** Lets the lines and the chip go. */
  close(): void;
}

function lineConfig(line: LineSpec): LineConfig {
  const common = { offset: line.gpio, bias: line.bias, activeLow: line.activeLow };
  if (line.direction === 'out') return { ...common, direction: 'out', drive: line.drive, initial: line.initial };
  return { ...common, direction: 'in', edge: line.edge, debounceUs: line.debounceNs / NS_PER_US };
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
function createMachine(log: Logger, events: BackendEvents): MachineInTime {
  const host = new NodeHostTime();
  const clock = new MonotonicClock(host);
  const machine = createMachineOn(clock, { sliceNs: SLICE_NS }, log, events);
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

/**
 * Takes all lines of a chip in one request. Errors as the driver's; the chip is closed then.
 *
 * @param comeback how the chip is found again when it was gone; default: it stays gone
 * @param kept has its lines outlive the process
 */
export function openHardware(
  chip: GpioChip,
  config: Config,
  events: BackendEvents,
  made: MachineInTime,
  comeback?: Comeback,
  kept?: KeptLines,
): Backend {
  const { machine, originNs } = made;
  const domain = new EdgeDomain(machine, {
    name: chip.info.name,
    lines: chip.info.lines,
    originNs,
    hasSeqno: chip.capabilities.seqno,
    onLost: (offset, count) => events.onLost(offset, count),
  });
  const lines = new LastingLines({
    chip,
    held: kept?.adopt(chip, new Set(config.lines.map(({ gpio }) => gpio)), { consumer: CONSUMER }) ?? [],
    kept,
    lines: config.lines.map(lineConfig),
    consumer: CONSUMER,
    notices: events,
    comeback,
    onAnew: (offset, mark) => domain.restart(offset, mark),
    nameOf: (offset) => config.lines.find(({ gpio }) => gpio === offset)?.name ?? `GPIO${offset}`,
  });
  return {
    machine,
    get chip() {
      return lines.chip;
    },
    request: lines,
    originNs: Number(originNs),
    pi: undefined,
    edge: domain.edge,
    toIrq: (offset) => domain.toIrq(offset),
    lostOn: (offset) => (lines.missed(offset) ? 'unknown' : (domain.countsOf(offset).lost ?? 'unknown')),
    get problem() {
      return lines.problem;
    },
    waitingFor: (offset) => lines.waitingFor(offset),
    start: () => lines.onEdges((batch) => domain.deliver(batch)),
    pause: () => lines.pause(),
    close: () => {
      lines.close();
      made.stop();
    },
  };
}

/**
 * Opens what the configuration asks for. Errors as the drivers': `auto` simulates only on a machine without any GPIO chip,
 * and a chip that is there and cannot be used is an error, never a reason to simulate.
 */
export function openBackend(config: Config, log: Logger, events: BackendEvents, kept?: KeptLines): Backend {
  const { driver } = config;
  const chip = driver === 'sim' ? undefined : openDriver({ driver, chip: config.chip });
  if (driver === 'sim' || chip === undefined) return openSimulation(config, log, events);
  const hardware = driver === 'auto' ? 'hardware' : driver;
  const reopen = (): GpioChip => reopenDriver(hardware, chip.info);
  return openHardware(chip, config, events, createMachine(log, events), { reopen }, kept);
}

/** A board with a button at every input and an LED at every output, under the lines' names. */
export function boardOf(lines: readonly LineSpec[]): BoardDescription {
  const buttons: Record<string, { gpio: number; pull: 'up' | 'down' }> = {};
  const leds: Record<string, { gpio: number; activeLow: boolean }> = {};
  for (const { name, gpio, direction, activeLow, bias } of lines) {
    if (direction === 'out') leds[name] = { gpio, activeLow };
    else buttons[name] = { gpio, pull: bias === 'pull-up' || (bias !== 'pull-down' && activeLow) ? 'up' : 'down' };
  }
  return { buttons, leds };
}

/** Builds a simulated Pi in real time whose board fits the configuration. */
function openSimulation(config: Config, log: Logger, events: BackendEvents): Backend {
  const { machine, originNs, stop } = createMachine(log, events);
  const pi = createSimulatedPi({ machine, board: boardOf(config.lines), originNs });
  const { chip, pinctrl, board } = pi;
  for (const line of config.lines) {
    if (line.gpio >= chip.info.lines) {
      throw new KernelError('EINVAL', `line ${line.name}: the simulated chip has no GPIO${line.gpio}`, {
        hint: `it has GPIO0 to GPIO${chip.info.lines - 1}`,
        subject: line.name,
      });
    }
  }
  // Edges reach handlers through the interrupts of the simulated chip itself, so none are asked of the request; and the
  // board debounces, where on hardware the kernel does.
  const request = chip.requestLines({
    lines: config.lines.map((line) => ({
      ...lineConfig(line),
      ...(line.direction === 'in' ? { edge: 'none' as const } : {}),
    })),
    consumer: CONSUMER,
  });
  for (const line of config.lines) {
    pinctrl.setActiveLow(line.gpio, line.activeLow);
    if (line.direction === 'in') board.setDebounce(line.gpio, line.debounceNs);
  }
  return {
    machine,
    chip,
    request,
    originNs: Number(originNs),
    pi,
    edge: pinctrl.edge,
    toIrq: (offset) => pinctrl.toIrq(offset),
    lostOn: () => 0,
    problem: undefined,
    waitingFor: () => undefined,
    start: () => {},
    pause: () => {},
    close: () => {
      request.release();
      chip.close();
      stop();
    },
  };
}
