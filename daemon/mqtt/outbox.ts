// What waits for the broker: so many messages and bytes and no more, the newest state of each topic, the oldest events given up first.

import type { Message } from './message.js';

/** How much may wait. */
export interface OutboxLimits {
  readonly events: number;
  /** Topics whose state waits. */
  readonly states: number;
  /** Of topics and payloads together. */
  readonly bytes: number;
}

/** A message that waits, with its place among all. */
interface Waiting {
  readonly order: number;
  readonly bytes: number;
  readonly message: Message;
}

/** Entries in front of a list that are taken already, before the list is made anew. */
const COMPACT_AT = 1024;

/**
 * A queue of two kinds of messages: states, of which only the newest of a topic matters, and events, each of which does. A
 * state that comes while an older one of its topic waits takes the older one's place. When there is no room, the oldest of
 * its kind goes; when there are too many bytes, the oldest event, and without one the oldest state. Whatever goes is told to
 * `onDrop`.
 */
export class Outbox {
  /** Messages that were given up for want of room. */
  dropped = 0;
  /** States that a newer one has taken the place of. */
  superseded = 0;
  readonly #limits: OutboxLimits;
  readonly #onDrop: (message: Message) => void;
  /** By topic, the oldest first. */
  readonly #states = new Map<string, Waiting>();
  /** The oldest first, from `#head` on. */
  #events: (Waiting | undefined)[] = [];
  #head = 0;
  #order = 0;
  #bytes = 0;

  constructor(limits: OutboxLimits, onDrop: (message: Message) => void) {
    this.#limits = limits;
    this.#onDrop = onDrop;
  }

  /** Messages that wait. */
  get length(): number {
    return this.#states.size + this.#events.length - this.#head;
  }

  /** Bytes of what waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a state. */
  state(message: Message): void {
    const bytes = sizeOf(message);
    const older = this.#states.get(message.topic);
    if (older === undefined) {
      this.#states.set(message.topic, { order: this.#order++, bytes, message });
    } else {
      this.superseded++;
      this.#bytes -= older.bytes;
      // The key keeps its place in the map.
      this.#states.set(message.topic, { order: older.order, bytes, message });
    }
    this.#bytes += bytes;
    this.#shrink();
  }

  /** Adds an event. */
  event(message: Message): void {
    const bytes = sizeOf(message);
    this.#events.push({ order: this.#order++, bytes, message });
    this.#bytes += bytes;
    this.#shrink();
  }

  /** Takes the oldest message out; `undefined` when none waits. */
  take(): Message | undefined {
    const event = this.#events[this.#head];
    const state = this.#oldestState();
    if (state !== undefined && (event === undefined || state.order < event.order)) return this.#takeState(state);
    return event === undefined ? undefined : this.#takeEvent(event);
  }

  /** Gives up all that waits, without telling. @returns how many messages that were */
  clear(): number {
    const { length } = this;
    this.#states.clear();
    this.#events = [];
    this.#head = 0;
    this.#bytes = 0;
    return length;
  }

  #oldestState(): Waiting | undefined {
    return this.#states.values().next().value;
  }

  #takeState({ bytes, message }: Waiting): Message {
    this.#states.delete(message.topic);
    this.#bytes -= bytes;
    return message;
  }

  #takeEvent({ bytes, message }: Waiting): Message {
    this.#bytes -= bytes;
    this.#events[this.#head++] = undefined;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  #shrink(): void {
    const { events, states, bytes } = this.#limits;
    while (this.#events.length - this.#head > events) this.#dropEvent();
    while (this.#states.size > states) this.#dropState();
    while (this.#bytes > bytes && this.#dropEvent());
    while (this.#bytes > bytes && this.#dropState());
  }

  #dropEvent(): boolean {
    const event = this.#events[this.#head];
    return event !== undefined && this.#drop(this.#takeEvent(event));
  }

  #dropState(): boolean {
    const state = this.#oldestState();
    return state !== undefined && this.#drop(this.#takeState(state));
  }

  #drop(message: Message): true {
    this.dropped++;
    this.#onDrop(message);
    return true;
  }
}

function sizeOf({ topic, payload }: Message): number {
  return Buffer.byteLength(topic) + Buffer.byteLength(payload);
}
