// What happens to the lines, as messages: each edge, and what each line is at.

import type { Config, LineSpec } from '../config/config.js';
import type { ControlEvent, ControlTarget, LineStatus } from '../control/target.js';
import { isFollowed } from './discovery.js';
import type { Message, Qos } from './message.js';
import type { Outbox } from './outbox.js';
import type { Topics } from './topics.js';

/** Events that wait to be made messages of; whoever makes more in one turn of the event loop loses the oldest. */
const MAX_HEARD = 16_384;
/** Events that are made messages of in one turn of the event loop. */
const EVENTS_PER_TURN = 128;

/** What {@link Teller} needs. */
export interface TellerSurroundings {
  readonly target: Pick<ControlTarget, 'lines' | 'subscribe'>;
  readonly topics: Topics;
  readonly qos: Qos;
  readonly outbox: Outbox;
  /** Called when something was put into the outbox. */
  readonly onMore: () => void;
  /** Told of events that were given up before they were messages. */
  readonly onOverrun: (count: number) => void;
}

/** Listens to the service and fills the outbox. On the path of an edge it does no more than keep the event. */
export class Teller {
  /** Events that were given up before they were messages. */
  overrun = 0;
  readonly #around: TellerSurroundings;
  readonly #unsubscribe: () => void;
  #lines: ReadonlyMap<string, LineSpec>;
  #heard: ControlEvent[] = [];
  /** Edges were lost or left out, or lines came back: what they are at, only they know. */
  #unsure = false;
  #due = false;
  #closed = false;

  constructor(config: Config, around: TellerSurroundings) {
    this.#around = around;
    this.#lines = byName(config);
    this.#unsubscribe = around.target.subscribe((event) => this.#hear(event));
  }

  /** Takes a new configuration. */
  configure(config: Config): void {
    this.#lines = byName(config);
  }

  /** Tells what every line is at: the broker may have forgotten. */
  states(): void {
    for (const status of this.#around.target.lines()) this.#stateOf(status);
    this.#around.onMore();
  }

  /** Makes messages of what was heard, and hears no more. */
  close(): void {
    this.#unsubscribe();
    this.#closed = true;
    while (this.#heard.length > 0) this.#tellSome();
  }

  #hear(event: ControlEvent): void {
    if (!isTold(event)) return;
    if (this.#heard.length >= MAX_HEARD) {
      const { length } = this.#heard.splice(0, MAX_HEARD / 2);
      this.overrun += length;
      this.#unsure = true;
      this.#around.onOverrun(length);
    }
    this.#heard.push(event);
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#due = false;
    if (this.#closed) return;
    this.#tellSome();
    if (this.#heard.length > 0) {
      this.#due = true;
      setImmediate(() => this.#turn());
    }
    this.#around.onMore();
  }

  #tellSome(): void {
    const wallMs = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    for (const event of this.#heard.splice(0, EVENTS_PER_TURN)) {
      if (event.type === 'edge') this.#edge(event, wallMs);
      else if (event.type === 'press') this.#press(event, wallMs);
      else if (event.type === 'value') this.#state(event.line, event.value === 1 ? 'ON' : 'OFF');
      else this.#unsure = true;
    }
    if (!this.#unsure || this.#heard.length > 0) return;
    this.#unsure = false;
    for (const status of this.#around.target.lines()) this.#stateOf(status);
  }

  #edge({ line, edge, lineSeqno, atNs }: EventOf<'edge'>, wallMs: number): void {
    this.#event(line, { event_type: edge, line, seqno: lineSeqno, at: wallTime(wallMs, atNs) });
    this.#state(line, edge === 'rising' ? 'ON' : 'OFF');
  }

  /** A way of pressing a button, or a chord, whose name is the line's then. */
  #press({ line, pattern, count, atNs }: EventOf<'press'>, wallMs: number): void {
    this.#event(line, { event_type: pattern, line, count, at: wallTime(wallMs, atNs) });
  }

  /** Named as Home Assistant has it: what the event is, and then what it carries. */
  #event(name: string, payload: Readonly<Record<string, unknown>>): void {
    const { outbox, topics, qos } = this.#around;
    outbox.event({ topic: topics.event(name), payload: JSON.stringify(payload), qos, retain: false });
  }

  #stateOf({ name, value }: LineStatus): void {
    this.#state(name, value === 'unknown' ? 'None' : value === 1 ? 'ON' : 'OFF');
  }

  #state(line: string, payload: string): void {
    const spec = this.#lines.get(line);
    if (spec === undefined || !isFollowed(spec)) return;
    const { outbox, topics, qos } = this.#around;
    const message: Message = { topic: topics.state(line), payload, qos, retain: true };
    outbox.state(message);
  }
}

type EventOf<T extends ControlEvent['type']> = Extract<ControlEvent, { readonly type: T }>;

/** When it was by the wall clock. @param wallMs that clock at the origin of CLOCK_MONOTONIC */
function wallTime(wallMs: number, atNs: number): string {
  return new Date(wallMs + atNs / 1e6).toISOString();
}

function byName({ lines }: Config): ReadonlyMap<string, LineSpec> {
  return new Map(lines.map((line) => [line.name, line]));
}

/** Whether an event changes what a line is at, or may. */
function isTold(event: ControlEvent): boolean {
  switch (event.type) {
    case 'edge':
    case 'press':
    case 'value':
    case 'lost':
    case 'chip':
    case 'line':
      return true;
    case 'storm':
      return event.phase === 'ends';
    default:
      return false;
  }
}
