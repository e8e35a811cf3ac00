// The event stream: server-sent events to many watchers, none of which can make the daemon wait or grow.

import type { ServerResponse } from 'node:http';
import { EventSpan } from './event-id.js';
import { EVENT_LOG_BYTES, EventLog, type LoggedEvent } from './event-log.js';
import type { ControlEvent, ControlTarget, Known } from './target.js';

/** Most watchers at once: they must not take every connection. */
export const MAX_WATCHERS = 32;
/** Bytes that may wait for one watcher: all that it missed, and about a thousand events. The socket's own buffer comes on top. */
export const MAX_WAITING_BYTES = EVENT_LOG_BYTES + 128 * 1024;
/** Something is sent after this time, so that either side notices when the other is gone. */
const HEARTBEAT_MS = 15_000;
/** How long a watcher waits before it comes back. */
const RETRY_MS = 1_000;

/** Types of events, for filters. */
export const EVENT_TYPES = {
  edge: 'edge',
  value: 'value',
  log: 'log',
  lost: 'lost',
  dropped: 'dropped',
  limited: 'limited',
  press: 'press',
  trigger: 'trigger',
  storm: 'storm',
  chip: 'chip',
  line: 'line',
  reload: 'reload',
  mqtt: 'mqtt',
  error: 'error',
} as const satisfies { readonly [T in ControlEvent['type']]: T };

/** Events that a watcher did not get: because they are no longer kept, or because the daemon was started anew. */
export interface GapEvent {
  readonly type: 'gap';
  /** How many, of all types and lines; `unknown` over a restart, and when nobody had watched for a while. */
  readonly missed: Known<number>;
}

/** What a watcher wants. */
export interface Watch {
  /** Default: all. */
  readonly types?: ReadonlySet<string>;
  /** Only events of these lines; default: all, and those of no line. */
  readonly lines?: ReadonlySet<string>;
  /** Id of the last event that it has: those that came since are sent first. */
  readonly lastId?: string;
}

/** What the stream reports of itself. */
export interface WatcherCounts {
  readonly watching: number;
  /** Watchers that were cut off because they did not read. */
  readonly dropped: number;
}

function wants({ types, lines }: Watch, event: ControlEvent): boolean {
  if (types !== undefined && !types.has(event.type)) return false;
  return lines === undefined || ('line' in event && lines.has(event.line));
}

/** Sends events to every watcher. Subscribed to the target only while somebody watches, and a minute after. */
export class EventStream {
  readonly #target: ControlTarget;
  readonly #onDrop: () => void;
  readonly #watchers = new Map<ServerResponse, Watch>();
  readonly #span = new EventSpan();
  readonly #log: EventLog;
  readonly #keepMs: number;
  #unsubscribe: (() => void) | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #forget: NodeJS.Timeout | undefined;
  #dropped = 0;

  /**
   * @param onDrop told of each watcher that was cut off.
   * @param keepMs how long events are kept when nobody watches any more
   */
  constructor(target: ControlTarget, onDrop: () => void, keepMs: number) {
    this.#target = target;
    this.#onDrop = onDrop;
    this.#keepMs = keepMs;
    this.#log = new EventLog(this.#span);
  }

  get counts(): WatcherCounts {
    return { watching: this.#watchers.size, dropped: this.#dropped };
  }

  get full(): boolean {
    return this.#watchers.size >= MAX_WATCHERS;
  }

  /** Makes a response a watcher, until it is closed by either side. The first bytes say that the subscription stands. */
  add(response: ServerResponse, watch: Watch = {}): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' });
    response.socket?.setTimeout(0);
    response.on('close', () => this.#remove(response));
    response.on('error', () => this.#remove(response));
    this.#start();
    // With the id of now: who has seen no event yet can come back too.
    response.write(`: watching\nretry: ${RETRY_MS}\nid: ${this.#span.idOf(this.#log.newest)}\n\n`);
    if (watch.lastId !== undefined) this.#resume(response, watch, watch.lastId);
    this.#watchers.set(response, watch);
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#watchers.keys()) {
      this.#remove(response);
      response.end();
    }
    this.#stop();
  }

  /** What the watcher has missed; or that it cannot be told. */
  #resume(response: ServerResponse, watch: Watch, lastId: string): void {
    const last = this.#span.numberIn(lastId);
    const known = last !== undefined && last <= this.#log.newest;
    const events = known ? this.#log.after(last) : [];
    const [first] = events;
    const missed = known ? (first?.number ?? this.#log.newest + 1) - last - 1 : 'unknown';
    if (missed !== 0) {
      const gap: GapEvent = { type: 'gap', missed };
      response.write(`event: gap\ndata: ${JSON.stringify(gap)}\n\n`);
    }
    for (const logged of events) if (wants(watch, logged.event)) response.write(logged.text);
  }

  #start(): void {
    clearTimeout(this.#forget);
    this.#unsubscribe ??= this.#target.subscribe((event) => this.#send(this.#log.add(event)));
    if (this.#watchers.size > 0) return;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  #stop(): void {
    clearTimeout(this.#forget);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#log.clear();
  }

  #send(logged: LoggedEvent): void {
    for (const [response, watch] of this.#watchers) if (wants(watch, logged.event)) this.#write(response, logged.text);
  }

  #beat(): void {
    // The id of now, for watchers whose filter lets little through.
    const id = this.#span.idOf(this.#log.newest);
    for (const response of this.#watchers.keys()) this.#write(response, `id: ${id}\n\n`);
  }

  #write(response: ServerResponse, text: string): void {
    if (response.writableLength > MAX_WAITING_BYTES) this.#drop(response);
    else response.write(text);
  }

  #drop(response: ServerResponse): void {
    this.#dropped += 1;
    this.#remove(response);
    response.destroy();
    this.#onDrop();
  }

  #remove(response: ServerResponse): void {
    if (!this.#watchers.delete(response) || this.#watchers.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#forget = setTimeout(() => this.#stop(), this.#keepMs);
    this.#forget.unref();
  }
}
