// The control server over a real socket: its answers, and that nothing a client sends takes the daemon down.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from './client.js';
import { MAX_WAITING_BYTES, MAX_WATCHERS } from './events.js';
import { FakeService } from './fake-service.spec-helper.js';
import type { ControlLimits } from './limits.js';
import { sendRaw } from './raw-request.spec-helper.js';
import { type ControlServer, startControl } from './server.js';
import type { ControlEvent } from './target.js';

let directory = '';
let path = '';
let service: FakeService;
let server: ControlServer | undefined;
const sockets: Socket[] = [];
const clients: ControlClient[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-control-'));
  path = join(directory, 'control.sock');
  service = new FakeService();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const client of clients.splice(0)) await client.close();
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function start(limits: Partial<ControlLimits> = {}): Promise<ControlServer> {
  server = await startControl({ target: service, path, log: pino({ level: 'silent' }), limits });
  return server;
}

function newClient(): ControlClient {
  const client = new ControlClient(path);
  clients.push(client);
  return client;
}

const raw = (bytes: Uint8Array | string): Promise<string> => sendRaw(path, bytes);

const close = 'connection: close\r\n';

/** Asks until there is an answer: where the limits are short, a machine that stands still makes anybody too late. */
async function alive(): Promise<void> {
  await expect.poll(() => newClient().call('GET', '/v1/status')).toMatchObject({ driver: 'sim', simulated: true });
}

async function refused(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'not refused',
    (error: { code: string }) => error.code,
  );
}

describe('the control server', () => {
  it('answers what is asked', async () => {
    await start();
    const client = newClient();
    expect(await client.call('GET', '/v1/lines')).toEqual({ lines: service.lines() });
    expect(await client.call('GET', '/v1/lines/led1')).toMatchObject({ gpio: 4, value: 0 });
    expect(await client.call('PUT', '/v1/lines/led1', { value: 1 })).toMatchObject({ value: 1 });
    expect(await client.call('GET', '/v1/interrupts')).toEqual(service.interrupts());
    expect(await client.call('GET', '/v1/trace')).toEqual({ text: service.trace() });
    expect(await client.call('GET', '/v1/status')).toMatchObject({ control: { watching: 0, dropped: 0, refused: 0 } });
  });

  it('presses a button, as told or for 80 ms', async () => {
    await start();
    const client = newClient();
    await client.call('POST', '/v1/buttons/button1/press', { forNs: 5e6, bounce: true });
    await client.call('POST', '/v1/buttons/button1/press');
    expect(service.presses).toEqual([
      { forNs: 5e6, bounce: true },
      { forNs: 80e6, bounce: false },
    ]);
  });

  it('passes the kernel’s errors on', async () => {
    await start();
    const client = newClient();
    await expect(client.call('GET', '/v1/lines/nope')).rejects.toMatchObject({
      code: 'ENOENT',
      hint: expect.anything(),
    });
    await expect(client.call('PUT', '/v1/lines/button1', { value: 1 })).rejects.toMatchObject({ code: 'EPERM' });
    service.simulated = false;
    await expect(client.call('POST', '/v1/buttons/button1/press')).rejects.toMatchObject({ code: 'ENOTSUP' });
  });

  it.each([
    ['PUT', '/v1/lines/led1', {}, 'BAD_REQUEST'],
    ['PUT', '/v1/lines/led1', { value: 2 }, 'BAD_REQUEST'],
    ['PUT', '/v1/lines/led1', { value: '1' }, 'BAD_REQUEST'],
    ['PUT', '/v1/lines/led1', { value: true }, 'BAD_REQUEST'],
    ['PUT', '/v1/lines/led1', { value: 1, more: 1 }, 'BAD_REQUEST'],
    ['PUT', '/v1/lines/led1', [1], 'BAD_REQUEST'],
    ['POST', '/v1/buttons/button1/press', { forNs: 0 }, 'BAD_REQUEST'],
    ['POST', '/v1/buttons/button1/press', { forNs: 1e12 }, 'BAD_REQUEST'],
    ['POST', '/v1/buttons/button1/press', { forNs: '80ms' }, 'BAD_REQUEST'],
    ['GET', `/v1/lines/${'x'.repeat(100)}`, undefined, 'BAD_REQUEST'],
    ['GET', '/v1/lines/%zz', undefined, 'BAD_REQUEST'],
    ['GET', '/v1/nope', undefined, 'NOT_FOUND'],
    ['POST', '/v1/status', undefined, 'NOT_FOUND'],
    ['GET', '/', undefined, 'NOT_FOUND'],
    ['GET', '/v1/lines/../../etc/passwd', undefined, 'NOT_FOUND'],
  ] as const)('refuses %s %s %j with %s', async (method, route, body, code) => {
    await start();
    expect(await refused(newClient().call(method, route, body))).toBe(code);
    expect(service.led).toBe(0);
  });

  it('does not tell clients what went wrong inside', async () => {
    service.lines = () => {
      throw new Error('secret');
    };
    await start();
    await expect(newClient().call('GET', '/v1/lines')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'the daemon failed to answer',
    });
    await alive();
  });
});

describe('a hostile client', () => {
  it('that sends rubbish is told so, and only it', async () => {
    await start();
    expect(await raw('\x16\x03\x01 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"BAD_REQUEST"/);
    expect(
      await raw(
        `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\n${close}content-type: application/json\r\ncontent-length: 1\r\n\r\n{`,
      ),
    ).toMatch(/400 [\s\S]*BAD_REQUEST/);
    expect(
      await raw(
        `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\n${close}content-type: text/xml\r\ncontent-length: 1\r\n\r\n{`,
      ),
    ).toMatch(/415 [\s\S]*UNSUPPORTED_MEDIA_TYPE/);
    await alive();
  });

  it('that sends any bytes leaves the daemon up', async () => {
    await start({ headersMs: 200, requestMs: 200, keepAliveMs: 100 });
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.string({ minLength: 1 }).map((s) => Buffer.from(`GET /v1/${s} HTTP/1.1\r\nhost: x\r\n${close}\r\n`)),
      fc
        .string({ minLength: 1 })
        .map((s) =>
          Buffer.from(
            `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\n${close}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(s)}\r\n\r\n${s}`,
          ),
        ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { minLength: 8, maxLength: 8 }),
        async (all) => void (await Promise.all(all.map(raw))),
      ),
      { numRuns: 12 },
    );
    await alive();
  });

  it('that sends 10 MB is cut off', async () => {
    await start();
    const head = `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
    const whole = await raw(
      Buffer.concat([Buffer.from(`${head}content-length: 10000000\r\n\r\n`), Buffer.alloc(10_000_000, 0x20)]),
    );
    // The answer may be lost when the connection is reset before it is read.
    if (whole !== '') expect(whole).toMatch(/413 [\s\S]*BODY_TOO_LARGE/);
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const chunked = await raw(`${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(160)}`);
    if (chunked !== '') expect(chunked).toMatch(/413 [\s\S]*BODY_TOO_LARGE/);
    await alive();
  });

  it('that announces 10 MB is refused before it sends them', async () => {
    await start();
    const head = `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\n${close}content-type: application/json\r\n`;
    expect(await raw(`${head}content-length: 10000000\r\n\r\n`)).toMatch(/413 [\s\S]*BODY_TOO_LARGE/);
  });

  it('that sends endless headers is cut off', async () => {
    await start();
    expect(await raw(`GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(5000)}\r\n`)).toMatch(/431 [\s\S]*HEADERS_TOO_LARGE/);
    await alive();
  });

  it.each([
    ['says nothing', { headersMs: 100 }, ''],
    ['stops in its headers', { headersMs: 100 }, 'GET /v1/status HTTP/1.1\r\nhost:'],
    [
      'stops in its body',
      { requestMs: 200, headersMs: 200 },
      'PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    ],
    ['keeps its connection', { keepAliveMs: 100 }, 'GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('that %s is cut off in time', async (_what, limits, bytes) => {
    await start({ headersMs: 50_000, requestMs: 60_000, keepAliveMs: 50_000, ...limits });
    // Resolves only when the daemon closes the connection.
    await raw(bytes);
    await alive();
  });

  it('with 1000 connections at once leaves the daemon up, for others too', async () => {
    const control = await start({ headersMs: 300, requestMs: 300 });
    const closed: Promise<void>[] = [];
    for (let i = 0; i < 1000; i++) {
      const socket = connect(path);
      sockets.push(socket);
      // Read, or the end of the connection would wait behind what was not read.
      socket.resume();
      socket.on('error', () => undefined);
      closed.push(new Promise((settle) => socket.on('close', () => settle())));
    }
    // Those over the limit are closed at once, those within it when they have said nothing for too long.
    await Promise.all(closed);
    expect(control.counts.refused).toBeGreaterThan(0);
    await alive();
  });

  it('cannot take the places of others by watching', async () => {
    await start();
    const request = 'GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n';
    const watching: Promise<unknown>[] = [];
    for (let i = 0; i < MAX_WATCHERS; i++) {
      const socket = connect(path);
      sockets.push(socket);
      socket.write(request);
      watching.push(new Promise((settle) => socket.once('data', settle)));
    }
    await Promise.all(watching);
    expect(await refused(newClient().call('GET', '/v1/events'))).toBe('TOO_MANY_WATCHERS');
    await alive();
  });

  it('cannot watch without asking for what there is to see', async () => {
    const control = await start();
    expect(await raw(`HEAD /v1/events HTTP/1.1\r\nhost: x\r\n${close}\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
    expect(control.counts.watching).toBe(0);
  });
});

describe('the event stream', () => {
  it('sends every event in order, and ends its subscription some time after the last watcher', async () => {
    await start({ keepEventsMs: 50 });
    const client = newClient();
    const events = client.events();
    const first = events.next();
    await expect.poll(() => service.listeners).toBe(1);
    await newClient().call('POST', '/v1/buttons/button1/press');
    const seen: (ControlEvent | undefined)[] = [
      (await first).value ?? undefined,
      (await events.next()).value ?? undefined,
    ];
    expect(seen).toEqual([
      { type: 'edge', atNs: 1e9, line: 'button1', edge: 'rising', lineSeqno: 1 },
      { type: 'value', atNs: 2e9, line: 'led1', value: 1 },
    ]);
    await client.close();
    await expect.poll(() => service.listeners).toBe(0);
  });

  it('cuts off a watcher that does not read, counts it, and keeps the others', async () => {
    const control = await start();
    const slow = connect(path);
    sockets.push(slow);
    slow.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => control.counts.watching).toBe(1);
    slow.pause();
    const text = 'x'.repeat(1000);
    const reader = newClient();
    let read = 0;
    const reading = (async () => {
      for await (const _event of reader.events()) read += 1;
    })();
    await expect.poll(() => control.counts.watching).toBe(2);
    let sent = 0;
    // Far more than the socket's own buffers hold, a little at a time so that who reads keeps up.
    while (control.counts.dropped === 0 && sent < 100 * (MAX_WAITING_BYTES / 1000)) {
      for (let i = 0; i < 10; i++) service.emit({ type: 'log', atNs: sent++, interrupt: 'button1', text });
      await expect.poll(() => read, { interval: 1 }).toBe(sent);
    }
    expect(control.counts).toMatchObject({ dropped: 1, watching: 1 });
    await server?.close();
    await reading.catch(() => undefined);
    expect(read).toBe(sent);
  });

  it('ends when the server closes', async () => {
    const control = await start();
    const events = newClient().events();
    const next = events.next().then(
      (result) => result.done,
      () => 'cut',
    );
    await expect.poll(() => control.counts.watching).toBe(1);
    await control.close();
    expect(await next).toBe(true);
    expect(service.listeners).toBe(0);
  });
});

describe('the control socket', () => {
  it('is for user and group, whatever the umask, and gone after the end', async () => {
    const umask = process.umask(0);
    try {
      await start();
    } finally {
      expect(process.umask(umask)).toBe(0);
    }
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    await server?.close();
    expect(existsSync(path)).toBe(false);
  });

  it('is refused while another daemon lives there', async () => {
    await start();
    const second = startControl({ target: service, path, log: pino({ level: 'silent' }) });
    await expect(second).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining(path) });
    await alive();
  });

  it('takes the place of one that was left behind', async () => {
    // A socket whose process died: bound, then its descriptor closed without unlinking.
    const { execFileSync } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    try {
      execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' });
    } catch {
      // It killed itself.
    }
    expect(statSync(path).isSocket()).toBe(true);
    await start();
    await alive();
  });

  it('is not put in place of a file', async () => {
    writeFileSync(path, 'mine');
    await expect(start()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(statSync(path).isFile()).toBe(true);
  });

  it('is refused a path that does not fit an address', async () => {
    path = join(directory, 'x'.repeat(120));
    await expect(start()).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('is refused in a directory that others can write to, and one without parent', async () => {
    mkdirSync(join(directory, 'open'));
    chmodSync(join(directory, 'open'), 0o777);
    path = join(directory, 'open', 'control.sock');
    await expect(start()).rejects.toMatchObject({ code: 'EACCES' });
    path = join(directory, 'no', 'such', 'control.sock');
    await expect(start()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('has a directory that is made for the user alone', async () => {
    path = join(directory, 'made', 'control.sock');
    await start();
    expect((statSync(join(directory, 'made')).mode & 0o777).toString(8)).toBe('700');
  });
});
