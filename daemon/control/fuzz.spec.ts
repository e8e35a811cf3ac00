// Ten thousand random requests: each is answered or refused with an error of the API, none with 500, and the daemon stays up.

import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ControlClient } from './client.js';
import { CONTROL_ERRORS } from './errors.js';
import { FakeService } from './fake-service.spec-helper.js';
import { sendRaw } from './raw-request.spec-helper.js';
import { type ControlServer, startControl } from './server.js';

const REQUESTS = 10_000;
/** Others at each run; a failure says which they were. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const AGAIN = `with SEED=${SEED} in the environment it is the same again`;
const AT_ONCE = 40;

let directory = '';
let path = '';
let server: ControlServer;
let failures = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-fuzz-'));
  path = join(directory, 'control.sock');
  const write = (line: string): void => {
    failures += line;
  };
  const log = pino({ level: 'error' }, { write });
  const limits = { headersMs: 500, requestMs: 500, keepAliveMs: 50, requestsPerSec: 1e6 };
  server = await startControl({ target: new FakeService(), path, log, limits });
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const word = fc.oneof(
  fc.constantFrom(
    'led1',
    'button1',
    'nope',
    '..',
    '.',
    '',
    '%2e%2e',
    '%00',
    '%',
    '1',
    '0',
    '4294967296',
    '-1',
    '__proto__',
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
);
const route = fc.oneof(
  fc.constantFrom('/', '*', '/v1/', '/v1/status', '/v1/lines', '/v1/interrupts', '/v1/softirqs', '/v1/tasks'),
  fc.constantFrom('/v1/workqueues', '/v1/trace', '/v1/reload', '/v1/hooks', '/v1/openapi.json', '//', '/v1/events/'),
  word.map((name) => `/v1/lines/${name}`),
  word.map((name) => `/v1/buttons/${name}/press`),
  word.map((name) => `/v1/hooks/${name}`),
  word.map((name) => `/v1/irqs/${name}`),
  fc.tuple(word, fc.constantFrom('enable', 'disable', 'affinity', 'x')).map(([irq, verb]) => `/v1/irqs/${irq}/${verb}`),
  fc.array(word, { maxLength: 6 }).map((names) => `/v1/files/${names.join('/')}`),
  fc.array(word, { maxLength: 4 }).map((names) => `/${names.join('/')}`),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .array(fc.tuple(fc.constantFrom('format', 'type', 'line', 'x', '__proto__', 'a[b]'), word), { maxLength: 4 })
    .map((pairs) => `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`),
);
const method = fc.constantFrom(
  'GET',
  'GET',
  'PUT',
  'PUT',
  'POST',
  'POST',
  'HEAD',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'get',
  'X',
);
const value = fc.oneof(
  fc.constantFrom<unknown>({ value: 1 }, { value: 0 }, { forNs: 5 }, { mask: '1' }, { text: '1\n' }, null, [], 0, ''),
  fc.jsonValue(),
  fc.record({ value: fc.jsonValue() }),
  fc.record({ text: fc.string() }),
  fc.constant({ __proto__: { value: 1 } }),
);
const body = fc.oneof(
  { weight: 3, arbitrary: value.map((each) => JSON.stringify(each)) },
  fc.constantFrom('', '{', '{"__proto__":{"value":1}}', '{"constructor":{"prototype":{}}}', '[[[[', '\u0000', '1e999'),
  fc.string({ maxLength: 200 }),
);
const header = fc.oneof(
  fc.constantFrom('content-type: application/json', 'content-type: text/xml', 'content-type: ', 'expect: 100-continue'),
  fc.constantFrom('connection: upgrade', 'upgrade: websocket', 'last-event-id: x', 'accept: */*', 'te: trailers'),
  fc.constantFrom(
    'authorization: Bearer x',
    'origin: http://evil.example',
    'range: bytes=0-1',
    'content-encoding: gzip',
  ),
  fc
    .tuple(fc.stringMatching(/^[a-z-]{1,10}$/), fc.stringMatching(/^[ -~]{0,30}$/))
    .map(([name, text]) => `x-${name}: ${text}`),
);

/** How a request is sent: right, or with a fault in its form. */
const form = fc.oneof(
  { weight: 8, arbitrary: fc.constant('right' as const) },
  fc.constantFrom('chunked' as const, 'bad chunks' as const, 'short' as const, 'long' as const, 'cut' as const),
);
type Form = typeof form extends fc.Arbitrary<infer T> ? T : never;

function bytesOf(
  [verb, where, asked, fields, content]: readonly [string, string, string, readonly string[], string],
  sent: Form,
): Buffer {
  const length = Buffer.byteLength(content);
  const chunk = `${length.toString(16)}\r\n${content}\r\n`;
  const [framing, payload] = {
    right: [`content-length: ${length}`, content],
    chunked: ['transfer-encoding: chunked', `${length === 0 ? '' : chunk}0\r\n\r\n`],
    'bad chunks': ['transfer-encoding: chunked', `zz\r\n${content}\r\n0\r\n\r\n`],
    short: [`content-length: ${length + 5}`, content],
    long: [`content-length: ${Math.max(0, length - 3)}`, content],
    cut: [`content-length: ${length}\r\ncontent-length: 1`, content],
  }[sent] as [string, string];
  const head = [`${verb} ${where}${asked} HTTP/1.1`, 'host: localhost', 'connection: close', ...fields, framing];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${payload}`);
}

const STATUSES = new Set<number>(Object.values(CONTROL_ERRORS).map(([status]) => status));
for (const status of [200, 204, 400, 403, 404, 405, 409, 501]) STATUSES.add(status);

/** What a fake service is allowed not to do. */
const MAY_FAIL = /"code":"(NOT_SUPPORTED|ENOTSUP|ENODEV|TOO_MANY_WATCHERS)"/;

it(`${REQUESTS} random requests are answered or refused, and none makes the daemon fail`, {
  timeout: 300_000,
}, async () => {
  const request = fc.tuple(method, route, query, fc.array(header, { maxLength: 5 }), body);
  const one = fc.tuple(request, form).map(([parts, sent]) => bytesOf(parts, sent));
  const statuses = new Map<string, number>();
  const wrong: string[] = [];
  const requests = fc.sample(one, { numRuns: REQUESTS, seed: SEED });
  for (let i = 0; i < requests.length; i += AT_ONCE) {
    const batch = requests.slice(i, i + AT_ONCE);
    const answers = await Promise.all(batch.map((bytes) => sendRaw(path, bytes)));
    for (const [j, answer] of answers.entries()) {
      const status = /^(?:HTTP\/1\.1 100 .*\r\n\r\n)?HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const known = STATUSES.has(Number(status));
      const failed = Number(status) >= 500 && !MAY_FAIL.test(answer);
      if (!known || failed) wrong.push(`${batch[j]?.toString('latin1')}\n-> ${answer.slice(0, 300)}`);
    }
  }
  expect(wrong.slice(0, 3), AGAIN).toEqual([]);
  expect(failures, AGAIN).toBe('');
  // It was not all rubbish.
  expect(statuses.get('200'), AGAIN).toBeGreaterThan(REQUESTS / 100);
  const client = new ControlClient(path);
  expect(await client.call('GET', '/v1/status'), AGAIN).toMatchObject({ simulated: true, control: { watching: 0 } });
  await client.close();
});
