// The control server: JSON over HTTP on a unix socket, within limits that no client can break.

import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Level } from '../../kernel/gpio/driver.js';
import { controlError, explainThrown } from './errors.js';
import { EventStream, type WatcherCounts } from './events.js';
import { addModelRoutes } from './model-routes.js';
import { checkPathLength, clearStaleSocket, listenPrivately, prepareDirectory } from './socket.js';
import { type ControlTarget, PRESS_DEFAULT_NS, PRESS_MAX_NS } from './target.js';

/** What a client may use up. Times in ms, sizes in bytes. */
export interface ControlLimits {
  /** Connections at once; further ones are closed at once. */
  readonly connections: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** From the connection to the end of the headers. */
  readonly headersMs: number;
  /** From the connection to the end of the request. */
  readonly requestMs: number;
  /** Between two requests of one connection. */
  readonly keepAliveMs: number;
  /** How often those times are looked at. */
  readonly checkMs: number;
}

/** The limits of the daemon. */
export const CONTROL_LIMITS: ControlLimits = {
  connections: 64,
  bodyBytes: 64 * 1024,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  checkMs: 1_000,
};

/** What the server counts. */
export interface ControlCounts extends WatcherCounts {
  /** Connections that were closed because there were too many. */
  readonly refused: number;
}

/** A control server that listens. */
export interface ControlServer {
  readonly path: string;
  readonly counts: ControlCounts;
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
}

const NAME_PARAMS = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1, maxLength: 64 } },
  required: ['name'],
} as const;

const SET_BODY = {
  type: 'object',
  properties: { value: { enum: [0, 1] } },
  required: ['value'],
  additionalProperties: false,
} as const;

const PRESS_BODY = {
  type: ['object', 'null'],
  properties: {
    forNs: { type: 'integer', minimum: 1, maximum: PRESS_MAX_NS },
    bounce: { type: 'boolean' },
  },
  additionalProperties: false,
} as const;

type Named = { Params: { name: string } };

function addRoutes(
  app: FastifyInstance,
  target: ControlTarget,
  events: EventStream,
  counts: () => ControlCounts,
): void {
  app.get('/v1/status', () => ({ ...target.status(), control: counts() }));
  app.get('/v1/lines', () => ({ lines: target.lines() }));
  app.get<Named>('/v1/lines/:name', { schema: { params: NAME_PARAMS } }, (request) =>
    target.getLine(request.params.name),
  );
  app.put<Named & { Body: { value: Level } }>(
    '/v1/lines/:name',
    { schema: { params: NAME_PARAMS, body: SET_BODY } },
    (request) => {
      target.setLine(request.params.name, request.body.value);
      return target.getLine(request.params.name);
    },
  );
  app.get('/v1/interrupts', () => target.interrupts());
  addModelRoutes(app, target.model);
  app.get('/v1/trace', () => ({ text: target.trace() }));
  app.post<Named & { Body: { forNs?: number; bounce?: boolean } | null | undefined }>(
    '/v1/buttons/:name/press',
    { schema: { params: NAME_PARAMS, body: PRESS_BODY } },
    async (request) => {
      const { forNs = PRESS_DEFAULT_NS, bounce = false } = request.body ?? {};
      await target.press(request.params.name, { forNs, bounce });
      return { pressed: request.params.name, forNs, bounce };
    },
  );
  // No HEAD, which fastify would add: it would watch, and never end.
  app.get('/v1/events', { exposeHeadRoute: false }, (_request, reply) => {
    if (events.full) {
      const { status, body } = controlError('TOO_MANY_WATCHERS', 'too many clients watch events');
      return reply.code(status).send(body);
    }
    reply.hijack();
    events.add(reply.raw);
    return reply;
  });
}

function addErrors(app: FastifyInstance, log: ControlOptions['log']): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = explainThrown(error);
    if (status >= 500) log.error({ err: error, url: request.url, method: request.method }, 'control: a request failed');
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = controlError('NOT_FOUND', `no ${request.method} ${request.url.slice(0, 100)}`);
    return reply.code(status).send(body);
  });
}

/** Answers what is not HTTP, or not in time, as far as the other side still listens. */
function answerRubbish(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, body } = explainThrown(Object.assign(error, { statusCode: 400 }));
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`, () =>
    socket.destroy(),
  );
}

function createApp(limits: ControlLimits) {
  return Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = explainThrown(error);
      // The callback's own type knows no status at all.
      (reply as unknown as FastifyReply).code(status).send(body);
    },
    clientErrorHandler: answerRubbish,
    serverFactory: (handler) => {
      const server = createServer(
        {
          maxHeaderSize: limits.headerBytes,
          headersTimeout: limits.headersMs,
          requestTimeout: limits.requestMs,
          keepAliveTimeout: limits.keepAliveMs,
          connectionsCheckingInterval: limits.checkMs,
        },
        (request: IncomingMessage, response) => handler(request, response),
      );
      server.maxConnections = limits.connections;
      return server;
    },
  });
}

/**
 * Starts the control server.
 *
 * Errors (KernelError): `EBUSY` when another daemon listens at the path, `EEXIST` when something else is there, `EACCES` when
 * the directory is not safe or not writable, `ENOENT` when its parent is missing, `EINVAL` for a path that is too long.
 */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const { target, path, log } = options;
  const limits = { ...CONTROL_LIMITS, ...options.limits };
  checkPathLength(path);
  prepareDirectory(path, process.getuid?.() ?? 0);
  await clearStaleSocket(path);

  const events = new EventStream(target, () => log.warn('control: a client that did not read its events was cut off'));
  let refused = 0;
  const counts = (): ControlCounts => ({ ...events.counts, refused });
  const app = createApp(limits);
  addErrors(app, log);
  addRoutes(app, target, events, counts);
  await app.ready();
  app.server.on('drop', () => {
    refused += 1;
    // Once, then at each doubling: a flood must not fill the log.
    if ((refused & (refused - 1)) === 0) log.warn({ refused }, 'control: too many connections; refused the newest');
  });
  await listenPrivately(app.server, path);
  app.server.on('error', (error) => log.error({ err: error }, 'control: the socket failed'));

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    events.close();
    const closed = new Promise<void>((settle) => app.server.close(() => settle()));
    app.server.closeAllConnections();
    await closed;
    await app.close();
  };
  return {
    path,
    get counts() {
      return counts();
    },
    close: () => (closing ??= close()),
  };
}
