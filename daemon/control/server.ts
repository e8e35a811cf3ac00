// The control server: JSON over HTTP on a unix socket, and on a port of this machine if so configured, within limits.

import type { Server as HttpServer } from 'node:http';
import type { Logger } from 'pino';
import { EventStream, type WatcherCounts } from './events.js';
import { CONTROL_LIMITS, type ControlLimits } from './limits.js';
import { Listener } from './listener.js';
import type { OpenPort, PortSpec } from './port.js';
import type { Route } from './route.js';
import { checkPathLength, clearStaleSocket, listenPrivately, prepareDirectory } from './socket.js';
import type { ControlTarget } from './target.js';

/** What the server counts. */
export interface ControlCounts extends WatcherCounts {
  /** Connections that were closed because there were too many. */
  readonly refused: number;
  readonly requests: number;
}

/** A control server that listens. */
export interface ControlServer {
  readonly path: string;
  readonly counts: ControlCounts;
  /** The TCP port, while one is open. */
  readonly port: number | undefined;
  /**
   * Listens on a TCP port of this machine too, or no more; with another token if that has changed. Errors (KernelError): as
   * `preparePort` of daemon/control/port.ts; then all is as it was, but for a port that is opened anew and meanwhile taken.
   */
  setPort(spec: PortSpec | undefined): Promise<void>;
  /** Ends every connection and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** What {@link startControl} needs. */
export interface ControlOptions {
  readonly target: ControlTarget;
  /** Path of the socket; see `defaultSocketPath`. */
  readonly path: string;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  readonly limits?: Partial<ControlLimits>;
  /** Routes of others: the metrics, for one. */
  readonly extraRoutes?: readonly Route[];
}

/** The server, and what its listeners share. */
class RunningControl implements ControlServer {
  readonly path: string;
  readonly #options: ControlOptions;
  readonly #limits: ControlLimits;
  readonly #events: EventStream;
  readonly #socket: Listener;
  #port: OpenPort | undefined;
  #requests = 0;
  #http: Promise<HttpServer> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ControlOptions) {
    const { target, log, path } = options;
    this.path = path;
    this.#options = options;
    this.#limits = { ...CONTROL_LIMITS, ...options.limits };
    const cutOff = (): void => log.warn('control: a client that did not read its events was cut off');
    this.#events = new EventStream(target, cutOff, this.#limits.keepEventsMs);
    this.#socket = new Listener({ limits: this.#limits, log, http: () => this.#load() });
  }

  get counts(): ControlCounts {
    const refused = this.#socket.refused + (this.#port?.listener.refused ?? 0);
    return { ...this.#events.counts, refused, requests: this.#requests };
  }

  async listen(): Promise<void> {
    await listenPrivately(this.#socket.server, this.path);
    this.#socket.server.on('error', (error) => this.#options.log.error({ err: error }, 'control: the socket failed'));
  }

  get port(): number | undefined {
    return this.#port?.port;
  }

  async setPort(spec: PortSpec | undefined): Promise<void> {
    const { log } = this.#options;
    const before = this.#port;
    if (spec === undefined) {
      this.#port = undefined;
      await before?.listener.close();
      return;
    }
    const { preparePort } = await import('./port.js');
    const open = preparePort(spec, { limits: this.#limits, log, http: () => this.#load() });
    // The same one cannot be opened twice; another one is, before what goes well is given up.
    if (before?.port === spec.port) await before.listener.close();
    this.#port = await open();
    log.info({ host: spec.host, port: this.#port.port }, 'control: the API is on TCP too');
    await before?.listener.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#events.close();
    await Promise.all([this.#socket.close(), this.#port?.listener.close()]);
  }

  /** At the first connection: most daemons are asked seldom, and start sooner without. */
  #load(): Promise<HttpServer> {
    this.#http ??= this.#createHttp();
    return this.#http;
  }

  async #createHttp(): Promise<HttpServer> {
    const [{ createApp }, { controlRoutes }] = await Promise.all([import('./app.js'), import('./routes.js')]);
    const { target, log, extraRoutes = [] } = this.#options;
    const routes = controlRoutes({
      target: () => target,
      events: () => this.#events,
      counts: () => this.counts,
      extra: extraRoutes,
    });
    const server = createApp({ routes, limits: this.#limits, log });
    server.on('request', () => {
      this.#requests++;
    });
    return server;
  }
}

/**
 * Starts the control server.
 *
 * Errors (KernelError): `EBUSY` when another daemon listens at the path, `EEXIST` when something else is there, `EACCES` when
 * the directory is not safe or not writable, `ENOENT` when its parent is missing, `EINVAL` for a path that is too long.
 */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const { path } = options;
  checkPathLength(path);
  prepareDirectory(path, process.getuid?.() ?? 0);
  await clearStaleSocket(path);
  const control = new RunningControl(options);
  await control.listen();
  return control;
}
