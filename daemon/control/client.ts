// The client of the control API: one request, or the stream of events, over the daemon's unix socket.

import { Agent, request } from 'undici';
import { ControlClientError } from './client-error.js';
import type { ControlErrorBody } from './errors.js';
import type { ControlEvent } from './target.js';

const UNREACHABLE: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: ['no daemon: there is no socket at', 'Start gpio-irqd, or name its socket with --socket PATH.'],
  ECONNREFUSED: ['no daemon answers at', 'Start gpio-irqd; the socket is left over from one that ended.'],
  EACCES: ['no permission for', 'Add yourself to the group gpio-irqd (usermod -aG gpio-irqd USER), then log in again.'],
  UND_ERR_SOCKET: ['the connection was closed at', 'The daemon has too many clients or was stopped; try again.'],
  ECONNRESET: ['the connection was closed at', 'The daemon has too many clients or was stopped; try again.'],
  EPIPE: ['the connection was closed at', 'The daemon has too many clients or was stopped; try again.'],
};

/** Talks to one daemon. */
export class ControlClient {
  readonly #path: string;
  readonly #agent: Agent;

  /** @param path of the control socket. */
  constructor(path: string) {
    this.#path = path;
    this.#agent = new Agent({ connect: { socketPath: path }, bodyTimeout: 0, headersTimeout: 60_000, pipelining: 0 });
  }

  /** Sends one request; the body of the answer. Rejects with {@link ControlClientError}. */
  async call(method: 'GET' | 'PUT' | 'POST', route: string, body?: unknown): Promise<unknown> {
    const response = await this.#request(method, route, body);
    const text = await response.body.text();
    if (response.statusCode < 300) return JSON.parse(text);
    throw refusal(response.statusCode, text);
  }

  /** Events as they happen, until the daemon ends the stream. */
  async *events(): AsyncGenerator<ControlEvent, void, void> {
    const response = await this.#request('GET', '/v1/events');
    if (response.statusCode !== 200) throw refusal(response.statusCode, await response.body.text());
    let waiting = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body) {
        waiting += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = waiting.split('\n');
        waiting = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length));
      }
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #request(method: 'GET' | 'PUT' | 'POST', route: string, body?: unknown) {
    const content =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    try {
      return await request(`http://localhost${route}`, { dispatcher: this.#agent, method, ...content });
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): ControlClientError {
    const { code = 'EIO', message = '' } = error as { code?: string; message?: string };
    const known = UNREACHABLE[code];
    if (known === undefined) return new ControlClientError(code, `${this.#path}: ${message}`);
    return new ControlClientError(code, `${known[0]} ${this.#path}`, known[1]);
  }
}

function refusal(status: number, text: string): ControlClientError {
  let body: Partial<ControlErrorBody> = {};
  try {
    body = JSON.parse(text);
  } catch {
    return new ControlClientError('BAD_ANSWER', `the daemon answered ${status}, and not in JSON`, 'Is it a gpio-irqd?');
  }
  return new ControlClientError(body.code ?? 'BAD_ANSWER', body.message ?? `status ${status}`, body.hint);
}
