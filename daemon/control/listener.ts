// A socket or a port on which the control API is asked. What answers is loaded with the first connection.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { TokenBucket } from '../token-bucket.js';
import { answerLate, refuse } from './answer.js';
import { Deadlines } from './deadlines.js';
import type { ControlLimits } from './limits.js';

/** Looks at a request before any route does. @returns false when it has answered: with a refusal. */
export type Guard = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What {@link Listener} needs. */
export interface ListenerOptions {
  readonly limits: ControlLimits;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** Gives what speaks HTTP; called at the first connection. */
  readonly http: () => Promise<HttpServer>;
  readonly guard?: Guard;
}

/** Which listener a connection came by. */
const LISTENERS = new WeakMap<Socket, Listener>();

/** Whether a request may go on to its route: in time, not too often, and allowed. It has been answered if not. */
export function admit(request: IncomingMessage, response: ServerResponse): boolean {
  return LISTENERS.get(request.socket)?.admit(request, response) ?? false;
}

/** Takes connections, within the limits, and hands them on to HTTP. */
export class Listener {
  /** Not listening yet. */
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #deadlines: Deadlines;
  readonly #rate: TokenBucket;
  #refused = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { limits, log } = options;
    const { requestsPerSec: rate } = limits;
    this.#deadlines = new Deadlines(limits, answerLate);
    this.#rate = new TokenBucket({ rate, perNs: 1e9, burst: 2 * rate });
    // Paused: what is read before HTTP takes over would be lost to it.
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.server.maxConnections = limits.connections;
    this.server.on('drop', () => {
      this.#refused++;
      // Once, then at each doubling: a flood must not fill the log.
      if ((this.#refused & (this.#refused - 1)) === 0) {
        log.warn({ refused: this.#refused }, 'control: too many connections; refused the newest');
      }
    });
  }

  /** Connections that were closed because there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /** See {@link admit}. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    this.#deadlines.requested(request, response);
    if (!this.#rate.take(performance.now() * 1e6)) {
      refuse(response, 'TOO_MANY_REQUESTS', 'too many requests', { 'retry-after': '1' });
      return false;
    }
    return this.#options.guard?.(request, response) ?? true;
  }

  /** Ends every connection. */
  close(): Promise<void> {
    const closed = new Promise<void>((settle) => this.server.close(() => settle()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #accept(socket: Socket): void {
    LISTENERS.set(socket, this);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // HTTP hears of errors too; before it does, an error must not be one that nobody hears.
    socket.on('error', () => undefined);
    this.#deadlines.connected(socket);
    this.#options.http().then(
      (http) => {
        if (socket.destroyed) return;
        http.emit('connection', socket);
        socket.resume();
      },
      (error: unknown) => {
        this.#options.log.error({ err: error }, 'control: the API could not be loaded');
        socket.destroy();
      },
    );
  }
}
