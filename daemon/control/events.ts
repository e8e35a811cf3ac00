// The event stream: server-sent events to many watchers, none of which can make the daemon wait or grow.

import type { ServerResponse } from 'node:http';
import type { ControlEvent, ControlTarget } from './target.js';

/** Most watchers at once: they must not take every connection. */
export const MAX_WATCHERS = 32;
/** Bytes that may wait for one watcher; the socket's own buffer comes on top. About a thousand events. */
export const MAX_WAITING_BYTES = 128 * 1024;
/** A comment line is sent after this time, so that either side notices when the other is gone. */
const HEARTBEAT_MS = 15_000;

/** What the stream reports of itself. */
export interface WatcherCounts {
  readonly watching: number;
  /** Watchers that were cut off because they did not read. */
  readonly dropped: number;
}

/** Sends events to every watcher. Subscribed to the target only while somebody watches. */
export class EventStream {
  readonly #target: ControlTarget;
  readonly #onDrop: () => void;
  readonly #watchers = new Set<ServerResponse>();
  #unsubscribe: (() => void) | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #dropped = 0;

  /** @param onDrop told of each watcher that was cut off. */
  constructor(target: ControlTarget, onDrop: () => void) {
    this.#target = target;
    this.#onDrop = onDrop;
  }

  get counts(): WatcherCounts {
    return { watching: this.#watchers.size, dropped: this.#dropped };
  }

  get full(): boolean {
    return this.#watchers.size >= MAX_WATCHERS;
  }

  /** Makes a response a watcher, until it is closed by either side. The first bytes say that the subscription stands. */
  add(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' });
    response.socket?.setTimeout(0);
    response.on('close', () => this.#remove(response));
    response.on('error', () => this.#remove(response));
    this.#watchers.add(response);
    if (this.#unsubscribe === undefined) this.#start();
    response.write(': watching\n\n');
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#watchers) {
      this.#remove(response);
      response.end();
    }
  }

  #start(): void {
    this.#unsubscribe = this.#target.subscribe((event) => this.#send(event));
    this.#heartbeat = setInterval(() => this.#write(':\n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  #send(event: ControlEvent): void {
    this.#write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  #write(text: string): void {
    for (const response of this.#watchers) {
      if (response.writableLength > MAX_WAITING_BYTES) this.#drop(response);
      else response.write(text);
    }
  }

  #drop(response: ServerResponse): void {
    this.#dropped += 1;
    this.#remove(response);
    response.destroy();
    this.#onDrop();
  }

  #remove(response: ServerResponse): void {
    this.#watchers.delete(response);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
