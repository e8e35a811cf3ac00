// The API over TCP: only with the token, only at an address of this machine, never for another site.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeService } from './fake-service.spec-helper.js';
import type { ControlLimits } from './limits.js';
import type { PortSpec } from './port.js';
import { RawAnswer, route } from './route.js';
import { type ControlServer, startControl } from './server.js';

const TOKEN = 'u5pD3kqQ9s1bN0yZ7rTfWw==';

let directory = '';
let tokenFile = '';
let server: ControlServer;
let logged = '';
const others: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-port-'));
  tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  logged = '';
});
afterEach(async () => {
  await server.close();
  for (const other of others.splice(0)) other.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(limits: Partial<ControlLimits> = {}): Promise<void> {
  const metrics = route({
    method: 'GET',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'For Prometheus.',
    answer: { types: ['text/plain'] },
    handle: () => new RawAnswer('text/plain; version=0.0.4', 'up 1\n'),
  });
  const write = (line: string): void => {
    logged += line;
  };
  const log = pino({ level: 'trace' }, { write });
  const path = join(directory, 'control.sock');
  server = await startControl({ target: new FakeService(), path, log, limits, extraRoutes: [metrics] });
}

function open(spec: Partial<PortSpec> = {}): Promise<void> {
  return server.setPort({ host: '127.0.0.1', port: 0, tokenFile, ...spec });
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

function ask(headers: Record<string, string> = {}, path = '/v1/status', method = 'GET'): Promise<Answer> {
  return new Promise((settle, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => settle({ status: response.statusCode, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe('the port', () => {
  beforeEach(async () => {
    await start();
    await open();
  });

  it('answers those with the token, routes of others too', async () => {
    expect(await ask(bearer)).toMatchObject({ status: 200 });
    expect(await ask({ authorization: `bearer  ${TOKEN} ` })).toMatchObject({ status: 200 });
    expect(await ask(bearer, '/metrics')).toMatchObject({
      status: 200,
      text: 'up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4' },
    });
  });

  it.each([
    ['none', {}],
    ['another', { authorization: 'Bearer u5pD3kqQ9s1bN0yZ7rTfWx==' }],
    ['one more character', { authorization: `Bearer ${TOKEN}x` }],
    ['one character less', { authorization: `Bearer ${TOKEN.slice(1)}` }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['the token alone', { authorization: TOKEN }],
    ['an empty one', { authorization: 'Bearer ' }],
  ])('refuses %s', async (_what, headers: Record<string, string>) => {
    for (const path of ['/v1/status', '/metrics', '/v1/nope', '/v1/events']) {
      const answer = await ask(headers, path);
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'UNAUTHORIZED' });
    }
  });

  it.each(['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1', '127.0.0.1.evil.example'])(
    'refuses a browser that was led here as %s',
    async (host) => {
      const answer = await ask({ ...bearer, host });
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'FORBIDDEN_HOST']);
    },
  );

  it('answers at each of its own names', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      expect(await ask({ ...bearer, host: `${name}:${server.port}` })).toMatchObject({ status: 200 });
    }
  });

  it.each(['http://evil.example', 'null', 'https://localhost', 'file://'])(
    'refuses a page of %s, and tells no browser that it may read answers',
    async (origin) => {
      const answer = await ask({ ...bearer, origin });
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'FORBIDDEN_ORIGIN']);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect((await ask({ origin }, '/v1/status', 'OPTIONS')).status).toBe(403);
    },
  );

  it('answers a page of its own', async () => {
    expect((await ask({ ...bearer, origin: `http://127.0.0.1:${server.port}` })).status).toBe(200);
  });

  it('never logs the token', async () => {
    await ask(bearer);
    await ask({ authorization: `Basic ${TOKEN}` });
    await ask(bearer, `/v1/nope?token=${TOKEN}`);
    expect(logged).not.toContain(TOKEN);
    expect(logged).toContain('TCP');
  });

  it('listens on the loopback only', () => {
    const listening = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[1] ?? '')
      .filter((address) => address.endsWith(`:${server.port?.toString(16).toUpperCase().padStart(4, '0')}`));
    expect(listening).toContain(`0100007F:${server.port?.toString(16).toUpperCase().padStart(4, '0')}`);
    expect(listening.filter((address) => address.startsWith('00000000'))).toEqual([]);
  });

  it('moves, and closes', async () => {
    const { port } = server;
    await open();
    expect(server.port).not.toBe(port);
    expect((await ask(bearer)).status).toBe(200);
    await server.setPort(undefined);
    expect(server.port).toBeUndefined();
  });

  it('stays as it was when it cannot be as it should', async () => {
    const { port = 0 } = server;
    writeFileSync(tokenFile, 'short');
    await expect(open()).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(open({ port })).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(open({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'EINVAL' });
    expect(server.port).toBe(port);
    expect((await ask(bearer)).status).toBe(200);
  });

  it('takes a new token on the same port', async () => {
    const { port = 0 } = server;
    const next = TOKEN.replace('u', 'v');
    writeFileSync(tokenFile, next);
    await open({ port });
    expect((await ask(bearer)).status).toBe(401);
    expect((await ask({ authorization: `Bearer ${next}` })).status).toBe(200);
  });
});

describe('is not opened', () => {
  beforeEach(() => start());

  it.each(['0.0.0.0', '::', '192.168.1.5', '10.0.0.1', 'example.org', '128.0.0.1', ''])('on %j', async (host) => {
    await expect(open({ host })).rejects.toMatchObject({ code: 'EINVAL', hint: expect.anything() });
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('on the port %s', async (port) => {
    await expect(open({ port })).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('without a token, or with one that is too short or that others may read', async () => {
    await expect(open({ tokenFile: join(directory, 'none') })).rejects.toMatchObject({ code: 'ENOENT' });
    for (const text of ['', 'short', `${'x'.repeat(8)} ${'y'.repeat(8)}`, 'x'.repeat(2000)]) {
      writeFileSync(tokenFile, text);
      const error = await open().catch((refusal: Error) => refusal);
      expect(error).toMatchObject({ code: 'EINVAL' });
      if (text !== '') expect(String(error)).not.toContain(text);
    }
    writeFileSync(tokenFile, TOKEN);
    chmodSync(tokenFile, 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'EACCES' });
    expect(server.port).toBeUndefined();
  });

  it('where another program listens', async () => {
    const other = createServer();
    others.push(other);
    await new Promise<void>((settle) => other.listen(0, '127.0.0.1', settle));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(open({ port })).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining(`:${port}`) });
  });
});

describe('is held to its limits', () => {
  it('of requests', async () => {
    await start({ requestsPerSec: 1 });
    await open();
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(bearer)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]).toMatchObject({ headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused[0]?.text ?? '')).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  it('of connections and of time, with 1000 clients at once', async () => {
    await start({ headersMs: 200 });
    await open();
    const closed = Array.from({ length: 1000 }, () => {
      const socket = connect(server.port ?? 0, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      return new Promise((settle) => socket.on('close', settle));
    });
    await Promise.all(closed);
    expect(server.counts.refused).toBeGreaterThan(0);
    // A machine that stands still for longer than a client may take to ask makes even this one too late.
    await expect.poll(async () => (await ask(bearer)).status).toBe(200);
  });
});
