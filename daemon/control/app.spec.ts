// What HTTP allows and clients do: HEAD, bodies of all kinds, several requests on a connection, and leaving early.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeService } from './fake-service.spec-helper.js';
import { CONTROL_LIMITS } from './limits.js';
import { sendRaw } from './raw-request.spec-helper.js';
import type { Route } from './route.js';
import { type ControlServer, startControl } from './server.js';

let directory = '';
let path = '';
let service: FakeService;
let server: ControlServer;
let errors = '';

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-app-'));
  path = join(directory, 'control.sock');
  service = new FakeService();
  errors = '';
  const write = (line: string): void => {
    errors += line;
  };
  server = await startControl({ target: service, path, log: pino({ level: 'error' }, { write }) });
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const send = (bytes: string): Promise<string> => sendRaw(path, bytes);

function head(method: string, target: string, ...fields: readonly string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'host: x', ...fields].join('\r\n')}\r\n\r\n`;
}

const CLOSE = 'connection: close';
const JSON_TYPE = 'content-type: application/json';

function put(body: string, ...fields: readonly string[]): Promise<string> {
  return send(head('PUT', '/v1/lines/led1', CLOSE, ...fields, `content-length: ${Buffer.byteLength(body)}`) + body);
}

describe('a request', () => {
  it('by HEAD is answered as a GET is, without the body', async () => {
    const [got, headed] = [
      await send(head('GET', '/v1/lines', CLOSE)),
      await send(head('HEAD', '/v1/lines', CLOSE)),
    ].map((answer) => answer.replace(/date: .*\r\n/i, ''));
    expect(got).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json; charset=utf-8\r\ncontent-length: \d+\r\n/,
    );
    expect(headed).toBe(got?.slice(0, got.indexOf('\r\n\r\n') + 4));
  });

  it('may name the target in absolute form, as HTTP has every server take it', async () => {
    expect(await send(head('GET', 'http://localhost/v1/lines/led1?', CLOSE))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is told where its query is wrong', async () => {
    expect(await send(head('GET', '/v1/trace?format=ftrace&format=jsonl', CLOSE))).toMatch(
      /400 [\s\S]*format: Invalid/,
    );
    expect(await send(head('GET', '/v1/trace?__proto__=1', CLOSE))).toMatch(/400 [\s\S]*__proto__/);
  });

  it('may come after others on the same connection, and is answered in its turn', async () => {
    const body = '{"value":1}';
    const first = head('PUT', '/v1/lines/led1', JSON_TYPE, `content-length: ${body.length}`) + body;
    const answer = await send(first + head('GET', '/v1/nope') + head('GET', '/v1/lines', CLOSE));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });

  it('that nobody waits for any more is done to its end, and is no failure', async () => {
    let done = false;
    let proceed = (): void => undefined;
    service.press = async () => {
      await new Promise<void>((settle) => {
        proceed = settle;
      });
      done = true;
    };
    const socket = connect(path);
    socket.write(head('POST', '/v1/buttons/button1/press', 'content-length: 0'));
    await expect.poll(() => server.counts.requests).toBe(1);
    socket.destroy();
    await new Promise((settle) => setTimeout(settle, 20));
    proceed();
    await expect.poll(() => done).toBe(true);
    expect(await send(head('GET', '/v1/lines', CLOSE))).toMatch(/^HTTP\/1\.1 200 /);
    expect(errors).toBe('');
  });
});

it('an answer that fails when it has begun is cut off', async () => {
  await server.close();
  const broken: Route = {
    ...{ method: 'GET', path: '/broken', id: 'broken', summary: 'Fails.', answer: {} },
    stream: (_, response) => {
      response.write('begun');
      throw new Error('secret');
    },
  };
  const write = (line: string): void => {
    errors += line;
  };
  server = await startControl({
    ...{ target: service, path, log: pino({ level: 'error' }, { write }) },
    extraRoutes: [broken],
  });
  expect(await send(head('GET', '/broken'))).not.toMatch(/secret|0\r\n\r\n$/);
  expect(errors).toContain('control: a request failed');
});

describe('a body', () => {
  it.each([JSON_TYPE, 'content-type: Application/JSON; charset=utf-8', 'content-type: application/json ;x=y'])(
    'in JSON is taken by its type: %s',
    async (type) => {
      expect(await put('{"value":1}', type)).toMatch(/^HTTP\/1\.1 200 [\s\S]*"value":1/);
    },
  );

  it.each(['', 'x-y: z', 'content-type:', 'content-type: text/plain', 'content-type: application/json5'])(
    'of another type, or of none, is refused: %s',
    async (type) => {
      expect(await put('{"value":1}', ...(type === '' ? [] : [type]))).toMatch(/^HTTP\/1\.1 415 /);
      expect(service.led).toBe(0);
    },
  );

  it('may come in chunks', async () => {
    const start = head('PUT', '/v1/lines/led1', CLOSE, JSON_TYPE, 'transfer-encoding: chunked');
    expect(await send(`${start}4\r\n{"va\r\n7\r\nlue":1}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await send(`${start}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('may be as long as the limit, and no byte longer', async () => {
    const { bodyBytes } = CONTROL_LIMITS;
    const body = '{"value":1}'.padEnd(bodyBytes);
    expect(await put(body, JSON_TYPE)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await put(`${body} `, JSON_TYPE)).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
    const chunks = `${(bodyBytes + 1).toString(16)}\r\n${body} \r\n0\r\n\r\n`;
    const start = head('PUT', '/v1/lines/led1', JSON_TYPE, 'transfer-encoding: chunked');
    expect(await send(start + chunks)).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  });

  it('cannot bring members that are not its own', async () => {
    expect(await put('{"__proto__":{"value":1}}', JSON_TYPE)).toMatch(/^HTTP\/1\.1 400 /);
    expect(service.led).toBe(0);
  });

  it('that is not JSON is not told back', async () => {
    const answer = await put('hunter2', JSON_TYPE);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*the body is not JSON/);
    expect(answer).not.toContain('hunter2');
  });

  it('that was not read is not taken for the next request', async () => {
    const hidden = head('PUT', '/v1/lines/led1', JSON_TYPE, 'content-length: 11');
    const answer = await send(
      `${head('POST', '/v1/nope', `content-length: ${hidden.length + 11}`)}${hidden}{"value":1}`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404']);
    expect(service.led).toBe(0);
  });
});
