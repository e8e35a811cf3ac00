// What the daemon is told to do: the configuration as the rest of the daemon sees it, checked and frozen.

import type { Bias, Drive, Edge, InitialLevel } from '../../kernel/gpio/driver.js';
import type { StormLimits } from '../../kernel/index.js';
import type {
  AtomicAction,
  ChordSpec,
  InterruptFlag,
  PatternSpec,
  ThreadAction,
  TriggerSpec,
  WorkSpec,
} from './action-types.js';
import type { ChipSpec } from './sections/chips.js';
import type { EventClock } from './sections/events.js';
import type { HttpSpec } from './sections/http.js';
import type { LogSpec } from './sections/log.js';
import type { MqttSpec } from './sections/mqtt.js';

export type * from './action-types.js';
export type { ChipSpec } from './sections/chips.js';
export type { EventClock } from './sections/events.js';
export type { HttpSpec } from './sections/http.js';
export type { LogSpec } from './sections/log.js';
export type { MqttSpec } from './sections/mqtt.js';

/**
 * Which driver to use. `auto` takes hardware when the machine has a GPIO chip and simulates only when it has none;
 * `hardware` never simulates. `chardev` is what both take; `libgpiod` (node-libgpiod) and `onoff` (sysfs) can less, and are
 * taken only by name.
 */
export const DRIVERS = ['auto', 'hardware', 'chardev', 'libgpiod', 'onoff', 'sim'] as const;
/** One of {@link DRIVERS}. */
export type DriverChoice = (typeof DRIVERS)[number];

/** Which chip: the one behind the header, one by kernel name (`gpiochip0`), or one by label (`pinctrl-rp1`). */
export type ChipChoice =
  | { readonly by: 'auto' }
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'label'; readonly label: string };

/** A line that the daemon holds. */
export interface LineSpec {
  readonly name: string;
  /** A chip of {@link Config.chips}; absent for the file's own. */
  readonly chip?: string | undefined;
  /** Offset on the chip; on a Pi's header chip the GPIO number. */
  readonly gpio: number;
  readonly direction: 'in' | 'out';
  /** Reported edges, after active low was applied. Always `none` for an output. */
  readonly edge: Edge;
  readonly bias: Bias;
  readonly drive: Drive;
  readonly activeLow: boolean;
  /** Debounce period in ns, a whole number of microseconds, 0 for none; always 0 for an output. */
  readonly debounceNs: number;
  /** What an output starts with: a logical level, or the one that it has. */
  readonly initial: InitialLevel;
  /** Above this the line is disabled for a while; none for a line without edges, and where none was asked for. */
  readonly stormGuard?: StormLimits | undefined;
}

/** What happens on the edges of one line. */
export interface InterruptSpec {
  /** Name in /proc/interrupts. */
  readonly name: string;
  /** A line of {@link Config.lines}: an input with an edge. */
  readonly line: string;
  /** Empty when there is none. */
  readonly topHalf: readonly AtomicAction[];
  /** Empty when there is none. */
  readonly thread: readonly ThreadAction[];
  readonly work: readonly WorkSpec[];
  /** Absent for none. */
  readonly flags?: readonly InterruptFlag[];
  /** CPUs of the model that it may interrupt; absent for all. */
  readonly affinity?: readonly number[] | undefined;
  /** SCHED_FIFO priority of its thread, 1 to 99; absent for the kernel's 50. */
  readonly priority?: number | undefined;
  /** Actions in a tasklet, which the top half schedules. Absent when there is none. */
  readonly tasklet?: readonly AtomicAction[];
  /** Absent when there is none. */
  readonly patterns?: readonly PatternSpec[];
  /** Absolute path of a module that exports `topHalf`, `threadFn`, `work`; in place of all actions. */
  readonly handler: string | undefined;
}

/** Flags of a workqueue, named as in Linux (`WQ_UNBOUND` is `unbound`). */
export const WORKQUEUE_FLAGS = ['unbound', 'highpri', 'cpu_intensive'] as const;
/** One of {@link WORKQUEUE_FLAGS}. */
export type WorkqueueFlag = (typeof WORKQUEUE_FLAGS)[number];

/** The kernel's own queues, which need no definition. */
export const SYSTEM_QUEUES = ['system_wq', 'system_highpri_wq', 'system_unbound_wq'] as const;

/** Queue of a work item that names none. */
export const DEFAULT_QUEUE = 'system_wq';

/** A workqueue of the file (alloc_workqueue). */
export interface WorkqueueSpec {
  readonly name: string;
  readonly flags: readonly WorkqueueFlag[];
  /** Items in flight at once, 1 to 512; 0 for the default: the kernel's 256, with `cpu_intensive` one a spare processor. */
  readonly maxActive: number;
  /** With `cpu_intensive`: bytes of heap that a worker thread may fill. */
  readonly memoryMax: number;
}

/** A whole configuration. Deeply frozen; entries in the order of the file. */
export interface Config {
  readonly driver: DriverChoice;
  /** Of lines that name none. */
  readonly chip: ChipChoice;
  /** Further chips; absent for none. */
  readonly chips?: readonly ChipSpec[];
  /** CPUs of the model, 1 to 8; absent for one. They share the processor that the daemon runs on. */
  readonly cpus?: number | undefined;
  /** Edges that the kernel keeps for each request until they are read, 1 to 1024; absent for the most. */
  readonly eventBuffer?: number;
  /** Clock that events tell of edges in; absent for `monotonic`. */
  readonly eventClock?: EventClock;
  readonly lines: readonly LineSpec[];
  readonly interrupts: readonly InterruptSpec[];
  readonly workqueues: readonly WorkqueueSpec[];
  /** Absent when there is none. */
  readonly chords?: readonly ChordSpec[];
  /** Absent when there is none. */
  readonly triggers?: readonly TriggerSpec[];
  /** Absent when no broker is told. */
  readonly mqtt?: MqttSpec | undefined;
  /** Absent when the control API is on its socket only. */
  readonly http?: HttpSpec | undefined;
  /** Absent for the defaults. */
  readonly log?: LogSpec;
}
