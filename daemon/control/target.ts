// What the control API controls: the running service, as the control server and the command line see it.

import type { Bias, ChipInfo, Drive, Edge, Level } from '../../kernel/gpio/driver.js';
import type { TraceRecord } from '../../kernel/index.js';
import type { Config } from '../config/config.js';
import type { MqttStatus } from '../mqtt/port.js';
import type { ModelTarget } from './model-target.js';

/**
 * A count that some drivers cannot know.
 *
 * Times here are integers in ns. As JSON numbers those are exact up to 2^53, 104 days, and to 2 ns for 104 days more.
 */
export type Known<T> = T | 'unknown';

/** The daemon as a whole. */
export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  /** The configuration file, absolute. */
  readonly config: string;
  readonly uptimeNs: number;
  /** Name of the driver in use: `chardev`, `libgpiod`, `sysfs` (that is `onoff` in a configuration) or `sim`. */
  readonly driver: string;
  /** True when nothing here is real. */
  readonly simulated: boolean;
  /** The file's own chip. */
  readonly chip: ChipInfo;
  /** All chips, the file's own first. */
  readonly chips?: readonly ChipStatus[];
  /** Which lines are not held, and why, in one sentence: the chip is gone, or somebody else has them. Absent when all are. */
  readonly problem?: string;
  /** Lines that are held though the configuration has them no more; absent when there are none. */
  readonly parked?: readonly ParkedStatus[];
  readonly edges: {
    /** Edges that reached the model. */
    readonly received: number;
    /** Edges that the kernel dropped before they were read, by gaps in `line_seqno`. */
    readonly lost: Known<number>;
  };
  /** Edges whose top half ran, and for whose thread or work there was no room. */
  readonly dropped: number;
  /** Edges that were left out while the storm guard had their line disabled. */
  readonly leftOut: number;
  /** Since the start: handlers that threw or broke a rule of their context, and actions that failed. */
  readonly handlerErrors: number;
  /** Since the start: actions that were left out because there were more than their limit allows. */
  readonly limited?: number;
  /** Reloads since the start; those that failed left the old configuration in effect. */
  readonly reloads?: { readonly ok: number; readonly failed: number };
  /** The connection to the broker; absent without `mqtt:` in the configuration. */
  readonly mqtt?: MqttStatus;
}

/** One chip of the configuration. */
export interface ChipStatus extends ChipInfo {
  /** What the configuration calls it; `chip` for the file's own. */
  readonly id: string;
  readonly driver: string;
  /** As in {@link DaemonStatus}, of this chip alone. */
  readonly problem?: string;
}

/**
 * A line that a reload has removed, and that is held all the same: the kernel takes no single line out of a request. It is an
 * input without edges until the others of its request are let go too, or until a reload wants it back.
 */
export interface ParkedStatus {
  readonly gpio: number;
  /** {@link ChipStatus.id} of its chip; absent for the file's own. */
  readonly chip?: string;
  /** What it was called; absent when it was removed before the daemon was started. */
  readonly name?: string;
  /** Names of the lines that have to be let go before it is. */
  readonly until: readonly string[];
}

/** All lines. */
export interface LinesStatus {
  readonly lines: readonly LineStatus[];
  /** As in {@link DaemonStatus}. */
  readonly parked?: readonly ParkedStatus[];
}

/** One line of the configuration, as it is now. */
export interface LineStatus {
  readonly name: string;
  /** {@link ChipStatus.id} of its chip; absent for the file's own. */
  readonly chip?: string;
  readonly gpio: number;
  readonly direction: 'in' | 'out';
  /** Logical level; unknown while the line is not held. */
  readonly value: Known<Level>;
  /** Why the line is not held, e.g. `held by 'w1-gpio'`; it is taken when that is over. Absent when it is held. */
  readonly waitingFor?: string;
  readonly activeLow: boolean;
  readonly edge: Edge;
  readonly bias: Bias;
  readonly drive: Drive;
  readonly debounceNs: number;
  /** Edges that reached the model; 0 for an output. */
  readonly rising: number;
  readonly falling: number;
  readonly lost: Known<number>;
  /** Edges whose top half ran, and for whose thread or work there was no room. */
  readonly dropped: number;
  /** What the storm guard has seen; absent where the configuration has none. */
  readonly storm?: StormStatus;
  /** Stamp of the newest edge, ns of CLOCK_MONOTONIC; absent before the first. */
  readonly lastEdgeNs?: number;
  /** `line_seqno` of the newest edge; absent before the first and where the driver has none. */
  readonly lineSeqno?: number;
}

/** The storm guard of a line. */
export interface StormStatus {
  /** It has the line disabled now. */
  readonly throttled: boolean;
  readonly storms: number;
  /** Times that it disabled the line, one or more a storm, and for how long in all. */
  readonly throttles: number;
  readonly throttledNs: number;
  /** Edges that were left out meanwhile; the last one before the line was enabled was handled then. */
  readonly leftOut: number;
}

/** One interrupt of the model. */
export interface InterruptStatus {
  /** Linux interrupt number in the model. */
  readonly irq: number;
  readonly hwirq: number;
  /** Name of the irq_chip. */
  readonly chip: string;
  /** Names of its actions, in the order in which they run. */
  readonly actions: readonly string[];
  /** Interrupts by CPU. */
  readonly counts: readonly number[];
}

/** All interrupts: as text, exactly as /proc/interrupts would show them, and by themselves. */
export interface InterruptsStatus {
  readonly text: string;
  readonly interrupts: readonly InterruptStatus[];
}

/** Something that happened. `atNs` is in ns of CLOCK_MONOTONIC. */
export type ControlEvent =
  | {
      readonly type: 'edge';
      readonly atNs: number;
      readonly line: string;
      readonly edge: 'rising' | 'falling';
      /** `line_seqno` of the kernel; 0 when the driver has none. */
      readonly lineSeqno: number;
      /** By the wall clock as it is set now, RFC 3339 in UTC with ms; absent unless the configuration asks for `realtime`. */
      readonly time?: string;
    }
  /** An output was set, by an action or through this API; `atNs` is when. */
  | { readonly type: 'value'; readonly atNs: number; readonly line: string; readonly value: Level }
  /** A `log` action, the log of a handler module, or what a program wrote. */
  | { readonly type: 'log'; readonly atNs: number; readonly interrupt: string; readonly text: string }
  /** Edges were lost on a line before they were read: told at once, and what follows within a second in one sum. */
  | { readonly type: 'lost'; readonly atNs: number; readonly line: string; readonly count: number }
  /** Edges whose top half ran, and for whose thread or work there was no room; told as `lost` is. */
  | { readonly type: 'dropped'; readonly atNs: number; readonly line: string; readonly count: number }
  /** Actions of an interrupt, a chord or a trigger that were left out, since there were more than their limit allows; told as `lost` is. */
  | { readonly type: 'limited'; readonly atNs: number; readonly name: string; readonly count: number }
  /**
   * A button was pressed in a way that the configuration looks for: `single`, `double`, `long`, `hold`, `release`; or several were, as a
   * `chord`, whose name is `line` then. `count` numbers repetitions while it is held, from 1.
   */
  | {
      readonly type: 'press';
      readonly atNs: number;
      readonly line: string;
      readonly pattern: string;
      readonly count: number;
    }
  /** A trigger has come. */
  | {
      readonly type: 'trigger';
      readonly atNs: number;
      readonly trigger: string;
      readonly by: 'schedule' | 'hook' | 'mqtt';
    }
  /** A line has had more edges than its storm guard allows, and is disabled for a while. */
  | { readonly type: 'storm'; readonly atNs: number; readonly line: string; readonly phase: 'begins' }
  /** The storm is over; what the guard did to the line. */
  | {
      readonly type: 'storm';
      readonly atNs: number;
      readonly line: string;
      readonly phase: 'ends';
      readonly throttles: number;
      readonly throttledNs: number;
      readonly leftOut: number;
    }
  /** The chip is gone, with all lines; it is waited for. Edges that come until it is back are `unknown` in `lost`. */
  | {
      readonly type: 'chip';
      readonly atNs: number;
      /** {@link ChipStatus.id}; absent for the file's own chip. */
      readonly chip?: string;
      readonly phase: 'gone';
      readonly message: string;
    }
  /** The chip is back, under this name. */
  | {
      readonly type: 'chip';
      readonly atNs: number;
      readonly chip?: string;
      readonly phase: 'back';
      readonly name: string;
    }
  /** Somebody else has a line; it is taken when it is free. */
  | {
      readonly type: 'line';
      readonly atNs: number;
      readonly line: string;
      readonly phase: 'waiting';
      readonly waitingFor: string;
    }
  /** A line that was waited for is held. */
  | { readonly type: 'line'; readonly atNs: number; readonly line: string; readonly phase: 'held' }
  /** The configuration was read anew; see {@link ReloadReport}. `changes` names what was touched, e.g. `lines: +led2 -led1`. */
  | {
      readonly type: 'reload';
      readonly atNs: number;
      readonly ok: boolean;
      readonly changes: readonly string[];
      readonly errors: readonly string[];
    }
  /** The broker is there. */
  | { readonly type: 'mqtt'; readonly atNs: number; readonly phase: 'connected'; readonly broker: string }
  /** The broker is not there any more; it is tried again. */
  | { readonly type: 'mqtt'; readonly atNs: number; readonly phase: 'disconnected'; readonly reason: string }
  /** Messages were given up while the broker was away; told as `lost` is. */
  | { readonly type: 'mqtt'; readonly atNs: number; readonly phase: 'dropped'; readonly count: number }
  /** The broker would not take a message or a subscription. */
  | {
      readonly type: 'mqtt';
      readonly atNs: number;
      readonly phase: 'refused';
      readonly what: string;
      readonly reason: string;
    }
  /** A handler threw or broke a rule of its context, or an action failed. `interrupt` says where. */
  | {
      readonly type: 'error';
      readonly atNs: number;
      readonly interrupt: string;
      readonly message: string;
      readonly stack?: string;
    };

/** What a reload did to one section of the configuration, by the names of its entries. */
export interface SectionReport {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** How many entries are as they were, and were not touched. */
  readonly kept: number;
}

/** What a reload came to. */
export interface ReloadReport {
  /** False when the old configuration goes on as it was; {@link errors} says why. */
  readonly ok: boolean;
  /** Why it was refused: `FILE:LINE:COLUMN: what` for a mistake in the file. Empty when it was not. */
  readonly errors: readonly string[];
  /** By section of the configuration, those that have entries; a section that is a single value has one entry, its own name. */
  readonly sections: Readonly<Record<string, SectionReport>>;
  /** Keys whose change takes effect only when the daemon is started anew, each with the reason. */
  readonly restart: readonly { readonly key: string; readonly why: string }[];
  /** What is not as the configuration has it although it was accepted, e.g. a line that somebody else holds; it is waited for. */
  readonly problems: readonly string[];
  readonly durationNs: number;
}

/** Receives events, in order, on the event loop. Must be short; a throw is the receiver's fault and is logged. */
export type ControlListener = (event: ControlEvent) => void;

/** How a simulated button is pressed. */
export interface PressOptions {
  /** How long it is held, in ns, 1 to {@link PRESS_MAX_NS}. */
  readonly forNs: number;
  /** Whether its contact bounces. */
  readonly bounce: boolean;
}

/** How long a button is held when nothing else is said: 80 ms. */
export const PRESS_DEFAULT_NS = 80e6;
/** The longest press: 10 s. */
export const PRESS_MAX_NS = 10e9;

/**
 * What can be asked of the running service. Methods throw KernelError with code and hint: `ENOENT` for a line that is not in
 * the configuration, `EPERM` for setting an input, `ENOTSUP` for pressing a button that is real, `ENODEV` when the chip is gone.
 */
export interface ControlTarget {
  status(): DaemonStatus;
  /** In the order of the configuration. */
  lines(): readonly LineStatus[];
  getLine(name: string): LineStatus;
  setLine(name: string, value: Level): void;
  interrupts(): InterruptsStatus;
  /** The model's kernel. */
  readonly model: ModelTarget;
  /** Resolves when the button is let go and its handlers, threads and work items have run. */
  press(name: string, options: PressOptions): Promise<void>;
  /** @returns ends the subscription; idempotent. */
  subscribe(listener: ControlListener): () => void;
  /**
   * What ran when and in which context, as text, oldest first: as much as the trace ring holds.
   *
   * @param from number of the first record that is shown, as {@link traced} told it; default: the oldest
   */
  trace(from?: number): string;
  /** Records of the trace so far. */
  traced(): number;
  /** The trace record by record, from number `from` on as far as the ring still has them, for the formats of other tools. */
  records?(from?: number): Iterable<TraceRecord>;
  /** Reads the configuration again, and takes over what has changed. Never rejects. */
  reload?(): Promise<ReloadReport>;
  /** Names of the hooks that triggers wait for. */
  hooks?(): readonly string[];
  /**
   * Runs the actions of a hook, to which `payload` (default: nothing) is handed; resolves when they are queued. `ENOENT` for one that is
   * not in the configuration, `EAGAIN` when too many wait already.
   */
  hook?(name: string, payload?: string): Promise<void>;
}

/** The service, started by `startService` of daemon/service.ts. */
export interface Service extends ControlTarget {
  /** The exit code, once the service has ended: 0 after {@link stop}, 1 when it could not go on. */
  readonly closed: Promise<number>;
  /**
   * Takes over what has changed in a configuration; {@link ControlTarget.reload} does that with the file. Never rejects, and one
   * at a time.
   */
  reconfigure(config: Config): Promise<ReloadReport>;
  /** Has {@link ControlTarget.reload} call this; until then it refuses. */
  onReload(reload: () => Promise<ReloadReport>): void;
  /** Tells watchers, and the log, what a reload came to that never got as far as {@link reconfigure}. */
  reloadRefused(errors: readonly string[]): ReloadReport;
  /** Calls `listener` with the problem of {@link status} when that may have changed. One listener. */
  onProblem(listener: (problem: string | undefined) => void): void;
  /**
   * Lets every line go and ends, in a few seconds at most: programs that still run are killed, and handlers that do not
   * end are left. Idempotent; resolves when all is released.
   */
  stop(reason: string): Promise<void>;
}
