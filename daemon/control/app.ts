// HTTP for the routes of the control API: requests checked, answers and errors in JSON. Loaded with the first connection.

import { createServer, type Server } from 'node:http';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { answerRubbish } from './answer.js';
import { ControlError, controlError, explainThrown } from './errors.js';
import type { ControlLimits } from './limits.js';
import { admit } from './listener.js';
import { type Asked, RawAnswer, type Route } from './route.js';

/** What {@link createApp} needs. */
export interface AppOptions {
  readonly routes: readonly Route[];
  readonly limits: ControlLimits;
  readonly log: Pick<Logger, 'error'>;
}

const HEADERS_MAX = 100;
const PARAM_MAX = 200;
const URL_SHOWN = 100;

/** No route gives fastify a schema. */
function noCompiler(): never {
  throw new Error('schemas are checked before fastify sees them');
}

/** Says where a request is wrong, and why. */
function mistake(error: z.ZodError): Error {
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return Object.assign(new Error(`${where}${issue?.message ?? error.message}`), { statusCode: 400 });
}

function check(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (!result.success) throw mistake(result.error);
  return result.data;
}

function askedOf(route: Route, { params, query, body, headers }: FastifyRequest): Asked {
  return {
    params: check(route.params, params),
    // Fastify's has no prototype; a plain object is what the schemas take.
    query: check(route.query, { ...(query as object) }),
    body: check(route.body, body ?? null),
    headers,
  };
}

async function answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const asked = askedOf(route, request);
  if (route.stream !== undefined) {
    route.stream(asked, reply.raw);
    reply.hijack();
    return reply;
  }
  const result = await route.handle?.(asked);
  return result instanceof RawAnswer ? reply.type(result.type).send(result.text) : reply.send(result);
}

function addRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  for (const route of routes) {
    // A HEAD, which fastify would add, would watch and never end where the answer is a stream.
    const exposeHeadRoute = route.stream === undefined;
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute,
      handler: (request, reply) => answer(route, request, reply),
    });
  }
}

function addErrors(app: FastifyInstance, log: AppOptions['log']): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = explainThrown(error);
    // What a route itself refuses is no failure of the daemon.
    if (status >= 500 && !(error instanceof ControlError)) {
      log.error({ err: error, url: request.url, method: request.method }, 'control: a request failed');
    }
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = controlError('NOT_FOUND', `no ${request.method} ${request.url.slice(0, URL_SHOWN)}`);
    return reply.code(status).send(body);
  });
}

/** Makes the server that speaks HTTP. It listens nowhere: its connections are handed to it, as events `connection`. */
export async function createApp({ routes, limits, log }: AppOptions): Promise<Server> {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_MAX },
    // Requests are checked by our own: fastify's way takes longer to load than all the rest.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = explainThrown(error);
      // The callback's own type knows no status at all.
      (reply as unknown as FastifyReply).code(status).send(body);
    },
    clientErrorHandler: answerRubbish,
    serverFactory: (handler) => {
      const options = { maxHeaderSize: limits.headerBytes, keepAliveTimeout: limits.keepAliveMs };
      const server = createServer(options, (request, response) => {
        if (admit(request, response)) handler(request, response);
      });
      server.maxHeadersCount = HEADERS_MAX;
      return server;
    },
  });
  addErrors(app, log);
  addRoutes(app, routes);
  await app.ready();
  return app.server;
}
