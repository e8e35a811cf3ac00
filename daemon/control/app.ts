// HTTP for the routes of the control API: requests checked, answers and errors in JSON. Loaded with the first connection.
//
// Node's own server and no framework: with one, the first request would add 10 MB to what the daemon takes, for good.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { answerJson, answerRubbish, answerText } from './answer.js';
import { readBody } from './body.js';
import { ControlError, explainThrown } from './errors.js';
import type { ControlLimits } from './limits.js';
import { admit } from './listener.js';
import type { Route } from './route.js';
import { RawAnswer } from './route.js';
import { type Found, Router } from './router.js';

/** What {@link createApp} needs. */
export interface AppOptions {
  readonly routes: readonly Route[];
  readonly limits: ControlLimits;
  readonly log: Pick<Logger, 'error'>;
}

const HEADERS_MAX = 100;
const URL_SHOWN = 100;
/** Of a target in absolute form, which clients send to proxies. */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/** Says where a request is wrong, and why. */
function mistake(error: z.ZodError): ControlError {
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return new ControlError('BAD_REQUEST', `${where}${issue?.message ?? error.message}`);
}

function check(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (!result.success) throw mistake(result.error);
  return result.data;
}

/** Path and query of what is asked for. */
function targetOf({ url = '' }: IncomingMessage): [path: string, query: string] {
  const target = url.replace(ORIGIN, '');
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

function find(router: Router, method: string, path: string): Found {
  try {
    const found = router.find(method, path);
    if (found !== undefined) return found;
  } catch {
    throw new ControlError('BAD_REQUEST', 'the path is not well encoded');
  }
  throw new ControlError('NOT_FOUND', `no ${method} ${path.slice(0, URL_SHOWN)}`);
}

/** Answers requests by its routes. */
class App {
  readonly #router: Router;
  readonly #options: AppOptions;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#router = new Router(options.routes);
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#fail(error, request, response);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const [path, query] = targetOf(request);
    const { route, params } = find(this.#router, method, path);
    const asked = {
      params: check(route.params, params),
      // The parser's has no prototype; a plain object is what the schemas take.
      query: check(route.query, { ...parse(query) }),
      body: check(route.body, route.method === 'GET' ? null : await readBody(request, this.#options.limits.bodyBytes)),
      headers,
    };
    if (route.stream !== undefined) {
      route.stream(asked, response);
      return;
    }
    const result = await route.handle?.(asked);
    if (result instanceof RawAnswer) answerText(response, 200, result.type, result.text);
    else answerJson(response, 200, result);
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const { status, body } = explainThrown(error);
    // What a route itself refuses is no failure of the daemon.
    if (status >= 500 && !(error instanceof ControlError)) {
      const { url, method } = request;
      this.#options.log.error({ err: error, url, method }, 'control: a request failed');
    }
    if (response.headersSent) response.destroy();
    // What is not read of the body would be taken for the next request.
    else answerJson(response, status, body, request.complete ? {} : { connection: 'close' });
  }
}

/** Makes the server that speaks HTTP. It listens nowhere: its connections are handed to it, as events `connection`. */
export function createApp(options: AppOptions): Server {
  const { limits } = options;
  const app = new App(options);
  const settings = { maxHeaderSize: limits.headerBytes, keepAliveTimeout: limits.keepAliveMs };
  const server = createServer(settings, (request, response) => {
    if (admit(request, response)) void app.answer(request, response);
  });
  server.maxHeadersCount = HEADERS_MAX;
  server.on('clientError', answerRubbish);
  return server;
}
