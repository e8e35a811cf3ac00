// The newest events, numbered, so that a watcher whose connection broke can have those it missed.

import type { EventSpan } from './event-id.js';
import type { ControlEvent } from './target.js';

/** Bytes of events that are kept; a thousand and more. */
export const EVENT_LOG_BYTES = 256 * 1024;

/** What the frequent ones take, at most. */
const SMALL_BYTES = 200;

/** An event with its number. It becomes text when somebody is to have it. */
export class LoggedEvent {
  /** From 1; the number of the event since the start of the daemon. */
  readonly number: number;
  readonly event: ControlEvent;
  readonly #span: EventSpan;
  #text: string | undefined;

  constructor(number: number, event: ControlEvent, span: EventSpan) {
    this.number = number;
    this.event = event;
    this.#span = span;
  }

  /** All of it: `id:`, `event:` and `data:`. */
  get text(): string {
    const { number, event } = this;
    this.#text ??= `id: ${this.#span.idOf(number)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    return this.#text;
  }

  /** What it takes, about. */
  get bytes(): number {
    const { type } = this.event;
    return type === 'edge' || type === 'value' ? SMALL_BYTES : this.text.length;
  }
}

/** A ring of events that is bounded by their bytes. */
export class EventLog {
  readonly #span: EventSpan;
  readonly #bytesMax: number;
  #events: LoggedEvent[] = [];
  /** Of `#events`, what is gone already. */
  #first = 0;
  #bytes = 0;
  #number = 0;

  constructor(span: EventSpan, bytesMax = EVENT_LOG_BYTES) {
    this.#span = span;
    this.#bytesMax = bytesMax;
  }

  /** Number of the newest event; 0 before the first. */
  get newest(): number {
    return this.#number;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps an event, and forgets the oldest that there is no room for. */
  add(event: ControlEvent): LoggedEvent {
    const logged = new LoggedEvent(++this.#number, event, this.#span);
    this.#events.push(logged);
    this.#bytes += logged.bytes;
    while (this.#bytes > this.#bytesMax) this.#bytes -= this.#events[this.#first++]?.bytes ?? this.#bytes;
    // Not at each event: to move them all takes time.
    if (this.#first > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
    return logged;
  }

  /** Events after a number, as far as they are kept, oldest first. */
  after(number: number): readonly LoggedEvent[] {
    const oldest = this.#number - (this.#events.length - this.#first) + 1;
    return this.#events.slice(this.#first + Math.max(0, number + 1 - oldest));
  }

  /** Forgets every event; numbers go on. One that nobody saw may have come meanwhile, so the next span begins. */
  clear(): void {
    this.#events = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#span.next();
  }
}
