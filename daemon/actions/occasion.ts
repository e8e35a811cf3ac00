// What actions run for: an edge, a press, a chord, a trigger; each with the values of its placeholders.
import type { Level } from '../../kernel/index.js';
import type { EdgeRecord } from '../bridge/edge-ring.js';
import { formatApproximate } from '../config/duration.js';
import type { PlaceholderValues } from '../config/template.js';

/** One time that actions run. */
export interface Occasion {
  /** Made when it is first asked for: most actions of most edges need none. */
  readonly values: PlaceholderValues;
  /** Variables of programs, besides those that the configuration gives them. */
  readonly env: Readonly<Record<string, string>>;
  /** Level of the input after the edge; only edges have one. */
  readonly level?: Level;
  readonly edge?: EdgeRecord;
}

/** What occasions need to know of the world. */
export interface OccasionClock {
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: number;
  /** Ms since 1970 by the wall clock. */
  wallMs(): number;
}

/** Whose edges they are. */
export interface OccasionLine {
  readonly line: string;
  readonly gpio: number;
  /** Name of the interrupt. */
  readonly name: string;
}

function timeOf(clock: OccasionClock): string {
  return new Date(clock.wallMs()).toISOString();
}

/** An edge of a line. */
export class EdgeOccasion implements Occasion {
  readonly edge: EdgeRecord;
  readonly #clock: OccasionClock;
  readonly #of: OccasionLine;
  #values: PlaceholderValues | undefined;

  constructor(clock: OccasionClock, of: OccasionLine, edge: EdgeRecord) {
    this.#clock = clock;
    this.#of = of;
    this.edge = edge;
  }

  get level(): Level {
    return this.edge.rising ? 1 : 0;
  }

  get values(): PlaceholderValues {
    if (this.#values !== undefined) return this.#values;
    const { rising, stampNs, sinceLastNs, lineSeqno } = this.edge;
    this.#values = {
      ...this.#of,
      edge: rising ? 'rising' : 'falling',
      value: this.level,
      timestamp: Math.round(this.#clock.originNs + stampNs),
      since_last: sinceLastNs < 0 ? '-' : formatApproximate(sinceLastNs),
      seqno: lineSeqno,
      time: timeOf(this.#clock),
    };
    return this.#values;
  }

  get env(): Readonly<Record<string, string>> {
    const { edge, timestamp } = this.values;
    return { GPIO_LINE: this.#of.line, GPIO_EDGE: String(edge), GPIO_TIMESTAMP: String(timestamp) };
  }
}

/** A way in which a line's button was pressed. */
export interface Press {
  readonly pattern: string;
  /** In ns of the machine's clock. */
  readonly atNs: number;
  readonly heldNs: number;
  /** Of a repetition, from 1; else 1. */
  readonly count: number;
}

/** The occasion of a {@link Press}. */
export function pressOccasion(clock: OccasionClock, of: OccasionLine, press: Press): Occasion {
  const timestamp = Math.round(clock.originNs + press.atNs);
  const { pattern, heldNs, count } = press;
  return {
    values: { ...of, pattern, held: formatApproximate(heldNs), count, timestamp, time: timeOf(clock) },
    env: { GPIO_LINE: of.line, GPIO_PATTERN: pattern, GPIO_TIMESTAMP: String(timestamp) },
  };
}

/** The occasion of several buttons that were pressed at once. */
export function chordOccasion(clock: OccasionClock, name: string, lines: readonly string[], atNs: number): Occasion {
  const timestamp = Math.round(clock.originNs + atNs);
  const values = { name, lines: lines.join(','), timestamp, time: timeOf(clock) };
  return { values, env: { GPIO_LINES: values.lines, GPIO_TIMESTAMP: String(timestamp) } };
}

/** The occasion of a trigger. */
export function triggerOccasion(
  clock: OccasionClock,
  name: string,
  came: { readonly payload?: string; readonly topic?: string },
): Occasion {
  const env: Record<string, string> = { GPIO_TRIGGER: name };
  if (came.payload !== undefined) env.GPIO_PAYLOAD = came.payload;
  if (came.topic !== undefined) env.GPIO_TOPIC = came.topic;
  return { values: { name, ...came, time: timeOf(clock) }, env };
}
