// Random requests to the control API, right ones and rubbish, each on a connection of its own.
import { Agent, request as httpRequest } from 'node:http';
import fc from 'fast-check';

const name = fc.oneof(
  fc.constantFrom('button', 'lamp', 'nope', '..', '', '%2e%2e', '%00', '1', '-1', '__proto__', 'ring'),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
const path = fc.oneof(
  fc.constantFrom('/v1/status', '/v1/lines', '/v1/interrupts', '/v1/softirqs', '/v1/tasks', '/v1/workqueues'),
  fc.constantFrom('/v1/trace', '/v1/reload', '/v1/hooks', '/v1/openapi.json', '/metrics', '/', '*', '//', '/v1/'),
  name.map((line) => `/v1/lines/${line}`),
  name.map((button) => `/v1/buttons/${button}/press`),
  name.map((hook) => `/v1/hooks/${hook}`),
  fc.tuple(name, fc.constantFrom('', '/affinity', '/x')).map(([irq, verb]) => `/v1/irqs/${irq}${verb}`),
  fc.array(name, { maxLength: 5 }).map((names) => `/v1/files/${names.join('/')}`),
);
const body = fc.oneof(
  fc.constantFrom(
    '{"value":1}',
    '{"value":0}',
    '{"forNs":1000}',
    '{"payload":"x"}',
    '{"text":"1\\n"}',
    'null',
    '',
    '{',
  ),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 100 }),
);
const header = fc.constantFrom(
  'content-type: application/json',
  'content-type: text/xml',
  'transfer-encoding: chunked',
  'content-length: 3',
  'expect: 100-continue',
  'upgrade: websocket',
  'last-event-id: x',
  'x: y',
);
const method = fc.constantFrom('GET', 'GET', 'PUT', 'POST', 'POST', 'HEAD', 'DELETE', 'OPTIONS', 'X');

/** A request in bytes. One in five has a header that contradicts it. */
const request = fc
  .tuple(method, path, body, fc.option(header, { freq: 5 }))
  .map(([verb, where, content, extra]) =>
    [
      `${verb} ${where} HTTP/1.1`,
      'host: localhost',
      'connection: close',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(content)}`,
      ...(extra === null ? [] : [extra]),
      '',
      content,
    ].join('\r\n'),
  );

/** So many random requests, the same for the same seed. */
export function randomRequests(count: number, seed: number): string[] {
  return fc.sample(request, { numRuns: count, seed });
}

/** A client with one connection that it keeps, so that no flood of others shuts it out. */
export class SteadyClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #path: string;

  constructor(socketPath: string) {
    this.#path = socketPath;
  }

  /** @returns the status of the answer, and its text */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const content = body === undefined ? '' : JSON.stringify(body);
    const typed = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
    const headers = method === 'GET' ? {} : typed;
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ socketPath: this.#path, agent: this.#agent, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on('error', reject);
      asked.end(method === 'GET' ? undefined : content);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
