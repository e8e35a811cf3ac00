// The client of the control API: one request, or the stream of events, over the daemon's unix socket.

import { statSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { faultOf } from '../file-faults.js';
import { ControlClientError } from './client-error.js';
import type { ControlErrorBody } from './errors.js';
import { readEvents, type SentEvent } from './event-reader.js';
import { checkPathLength } from './socket.js';
import type { ControlEvent } from './target.js';

const UNREACHABLE: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: ['no daemon: there is no socket at', 'Start gpio-irqd, or name its socket with --socket PATH.'],
  ECONNREFUSED: ['no daemon answers at', 'Start gpio-irqd; the socket is left over from one that ended.'],
  EACCES: ['no permission for', 'Add yourself to the group gpio-irqd (usermod -aG gpio-irqd USER), then log in again.'],
  ECONNRESET: ['the connection was closed at', 'The daemon has too many clients or was stopped; try again.'],
  ERR_STREAM_PREMATURE_CLOSE: ['the connection was closed at', 'The daemon was stopped; try again.'],
  EPIPE: ['the connection was closed at', 'The daemon has too many clients or was stopped; try again.'],
};

/** As what connect(2) fails for a path that is no socket. */
const NO_SOCKET: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EACCES']);
const WHO = 'Is it a gpio-irqd?';

/** The longest that the daemon takes for an answer: a press of 10 s, and what it set off. */
const ANSWER_MS = 60_000;

/** How the API is asked. */
export type Method = 'GET' | 'PUT' | 'POST';

/** Which events are wanted. */
export interface EventQuery {
  /** Default: all. */
  readonly types?: readonly string[];
  readonly lines?: readonly string[];
  /** Id of the last event that was seen: those since then come first. */
  readonly lastId?: string | undefined;
}

/** Talks to one daemon. */
export class ControlClient {
  readonly #path: string;
  readonly #agent = new Agent();
  readonly #open = new Set<IncomingMessage>();

  /** @param path of the control socket. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Sends one request; the body of the answer. Rejects with {@link ControlClientError}. */
  async call(method: Method, route: string, body?: unknown): Promise<unknown> {
    const answer = jsonOf(await this.text(method, route, body));
    if (answer === undefined) throw noJson(200);
    return answer;
  }

  /** As {@link call}, for an answer as it is. */
  async text(method: Method, route: string, body?: unknown): Promise<string> {
    const response = await this.#request(method, route, body, {}, ANSWER_MS);
    const text = await this.#textOf(response);
    if ((response.statusCode ?? 0) < 300) return text;
    throw refusal(response.statusCode, text);
  }

  /** Events as they happen, until the daemon ends the stream. `followEvents` goes on after that. */
  async *events(query: EventQuery = {}): AsyncGenerator<ControlEvent, void, void> {
    for await (const { event } of this.stream(query)) if (event !== undefined && event.type !== 'gap') yield event;
  }

  /** The stream of events with all that is in it. */
  async *stream(query: EventQuery = {}): AsyncGenerator<SentEvent, void, void> {
    const { types = [], lines = [], lastId } = query;
    const wanted = new URLSearchParams();
    for (const type of types) wanted.append('type', type);
    for (const line of lines) wanted.append('line', line);
    const route = wanted.size === 0 ? '/v1/events' : `/v1/events?${wanted}`;
    const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
    const response = await this.#request('GET', route, undefined, headers);
    if (response.statusCode !== 200) throw refusal(response.statusCode, await this.#textOf(response));
    this.#open.add(response);
    try {
      yield* readEvents(response);
    } catch (error) {
      throw this.#unreachable(error);
    } finally {
      this.#open.delete(response);
      response.destroy();
    }
  }

  /** Ends all connections. */
  close(): Promise<void> {
    for (const response of this.#open) response.destroy();
    this.#agent.destroy();
    return Promise.resolve();
  }

  #request(
    method: Method,
    route: string,
    body: unknown,
    headers: Record<string, string>,
    timeout?: number,
  ): Promise<IncomingMessage> {
    checkPathLength(this.#path);
    const content = body === undefined ? undefined : JSON.stringify(body);
    const typed =
      content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(content)) };
    const length = content === undefined && method !== 'GET' ? { 'content-length': '0' } : {};
    const options = {
      socketPath: this.#path,
      agent: this.#agent,
      method,
      path: route,
      headers: { host: 'localhost', ...headers, ...typed, ...length },
      ...(timeout === undefined ? {} : { timeout }),
    };
    return new Promise((resolve, reject) => {
      const asked = request(options, resolve);
      asked.on('error', (error) => reject(this.#unreachable(error)));
      asked.on('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      asked.end(content);
    });
  }

  async #textOf(response: IncomingMessage): Promise<string> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): ControlClientError {
    const { code = 'EIO' } = error as { code?: string };
    if (NO_SOCKET.has(code) && isNoSocket(this.#path)) {
      const hint = 'Name the socket of the daemon with --socket PATH.';
      return new ControlClientError('ENOTSOCK', `${this.#path} is no socket`, hint);
    }
    if (code.startsWith('HPE_'))
      return new ControlClientError('BAD_ANSWER', `${this.#path} does not answer in HTTP`, WHO);
    const known = UNREACHABLE[code];
    if (known !== undefined) return new ControlClientError(code, `${known[0]} ${this.#path}`, known[1]);
    const { words, hint } = faultOf(error, this.#path);
    return new ControlClientError(code, `${this.#path}: ${words}`, hint);
  }
}

/** A file that is there and is something else. */
function isNoSocket(path: string): boolean {
  try {
    return !statSync(path).isSocket();
  } catch {
    return false;
  }
}

/** What a text in JSON stands for; undefined when it is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noJson(status: number): ControlClientError {
  return new ControlClientError('BAD_ANSWER', `the daemon answered ${status}, and not in JSON`, WHO);
}

function refusal(status = 0, text: string): ControlClientError {
  const body = jsonOf(text) as Partial<ControlErrorBody> | null | undefined;
  if (body === undefined) return noJson(status);
  return new ControlClientError(body?.code ?? 'BAD_ANSWER', body?.message ?? `status ${status}`, body?.hint);
}
