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
      this.overrun += this.#heard.splice(0, MAX_HEARD / 2).length;
      this.#unsure = true;
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
      else if (event.type === 'value') this.#state(event.line, event.value === 1 ? 'ON' : 'OFF');
      else this.#unsure = true;
    }
    if (!this.#unsure || this.#heard.length > 0) return;
    this.#unsure = false;
    for (const status of this.#around.target.lines()) this.#stateOf(status);
  }

  #edge({ line, edge, lineSeqno, atNs }: ControlEvent & { readonly type: 'edge' }, wallMs: number): void {
    const { outbox, topics, qos } = this.#around;
    const at = new Date(wallMs + atNs / 1e6).toISOString();
    // The names of Home Assistant's events: what they are, and then what they carry.
    const payload = JSON.stringify({ event_type: edge, line, seqno: lineSeqno, at });
    outbox.event({ topic: topics.event(line), payload, qos, retain: false });
    this.#state(line, edge === 'rising' ? 'ON' : 'OFF');
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

function byName({ lines }: Config): ReadonlyMap<string, LineSpec> {
  return new Map(lines.map((line) => [line.name, line]));
}

/** Whether an event changes what a line is at, or may. */
function isTold(event: ControlEvent): boolean {
  switch (event.type) {
    case 'edge':
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
