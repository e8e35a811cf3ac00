// What the daemon gives to its interrupts, chords and triggers: lines, queues, the world outside, and where to report.
import type { EdgeInfo, GpioDesc, Level, Workqueue } from '../../kernel/index.js';
import type { exec } from '../actions/exec.js';
import type { http } from '../actions/http.js';
import type { ModuleWorkers } from '../actions/module-workers.js';
import type { Outputs } from '../actions/outputs.js';
import type { MqttPort } from '../mqtt/port.js';
import type { EdgeRecord } from './edge-ring.js';

/** What actions need. Times are ns of the machine's clock. */
export interface ActionHost {
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  /** Aborted when programs and requests that still run are to be ended. */
  readonly ending: AbortSignal;
  readonly outputs: Outputs;
  /** Runs a program. */
  readonly exec: typeof exec;
  /** Sends a request. */
  readonly http: typeof http;
  /** Publishes a message, or keeps it until there is a connection. `ENOTCONN` without a broker in the configuration. */
  readonly publish: MqttPort['publish'];
  nowNs(): number;
  /** Ms since 1970 by the wall clock. */
  wallMs(): number;
  queue(name: string): Workqueue;
  /** The worker threads of a `cpu_intensive` queue; `ENOENT` for another. */
  workers(queue: string): ModuleWorkers;
  onValue(line: string, value: Level, atNs: number): void;
  onLog(name: string, text: string): void;
  onError(name: string, error: unknown): void;
  /** Actions that were left out, since there were more than their limit allows. @param name of the interrupt, chord or trigger */
  onLimited(name: string, count: number): void;
}

/** What the interrupts of all lines share. */
export interface InterruptHost extends ActionHost {
  /** The edge that is being handled. */
  readonly edge: EdgeInfo;
  line(name: string): GpioDesc;
  onEdge(line: string, record: EdgeRecord): void;
  /** Tells chords of an edge. @returns whether it is a press that makes one */
  chord(line: string, pressed: boolean, atNs: number): boolean;
  /** A button was pressed in a way that the configuration looks for. @param line or the name of the chord */
  onPress(line: string, pattern: string, count: number, atNs: number): void;
  /** Edges whose top half ran, and for whose thread or work there was no room. */
  onDropped(line: string, count: number): void;
}
