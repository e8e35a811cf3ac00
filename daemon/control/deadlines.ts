// Deadlines of connections: a timer for each connection that has one, so that nothing wakes a daemon to which nobody talks.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ControlLimits } from './limits.js';

/** Ends connections that take too long to say what they want. Node's own check would wake the daemon all the time. */
export class Deadlines {
  readonly #limits: ControlLimits;
  readonly #late: (socket: Socket) => void;
  readonly #timers = new Map<Socket, NodeJS.Timeout>();

  /** @param late told of each connection that was too slow */
  constructor(limits: ControlLimits, late: (socket: Socket) => void) {
    this.#limits = limits;
    this.#late = late;
  }

  /** A connection begins. */
  connected(socket: Socket): void {
    this.#arm(socket, this.#limits.headersMs);
    socket.once('close', () => this.#disarm(socket));
  }

  /** The headers of a request have been read. */
  requested(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#arm(socket, this.#limits.requestMs, request);
    // The time between two requests, and that for the headers of the next one.
    response.once('finish', () => this.#arm(socket, this.#limits.keepAliveMs + this.#limits.headersMs));
  }

  #arm(socket: Socket, ms: number, request?: IncomingMessage): void {
    this.#disarm(socket);
    if (socket.destroyed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(socket);
      // What is whole may take as long as it takes: a press is answered when all that it set off has run.
      if (request?.complete !== true) this.#late(socket);
    }, ms);
    timer.unref();
    this.#timers.set(socket, timer);
  }

  #disarm(socket: Socket): void {
    clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }
}
