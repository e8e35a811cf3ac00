// Requests against a server on loopback: what goes well, what is tried again, and what a server can do to a daemon.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpOptions, type HttpRequest, http } from './http.js';

const open: { close(): void }[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function send(request: Partial<HttpRequest> & { url: string }, options: Partial<HttpOptions> = {}) {
  return http(
    { method: 'POST', headers: {}, ...request },
    { timeoutNs: 50e9, retries: 0, signal: new AbortController().signal, pause: async () => {}, ...options },
  );
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): void {
  response.writeHead(status, headers).end(body);
}

describe('a request', () => {
  it('has its method, headers and body', async () => {
    const seen: unknown[] = [];
    const url = await serve(async (request, response) => {
      seen.push([request.method, request.url, request.headers['x-token'], await bodyOf(request)]);
      answer(response, 204);
    });
    const result = await send({ url: `${url}/a?b=c`, method: 'PUT', headers: { 'X-Token': 't' }, body: 'ring' });
    expect(result).toEqual({ status: 204, tries: 1 });
    expect(seen).toEqual([['PUT', '/a?b=c', 't', 'ring']]);
  });

  it.each(['ftp://example.org/', 'file:///etc/passwd', 'nonsense', ''])('is refused to %j', async (url) => {
    await expect(send({ url })).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it.each([400, 401, 404, 501])('that is answered with %i fails at once', async (status) => {
    let count = 0;
    const url = await serve((_, response) => {
      count++;
      answer(response, status, {}, 'who\nare you?');
    });
    const failing = send({ url: `${url}/secret?token=secret`, headers: { authorization: 'secret' } }, { retries: 3 });
    await expect(failing).rejects.toMatchObject({
      code: 'EREMOTEIO',
      message: `${url} answers with status ${status}: who are you?`,
    });
    expect(count).toBe(1);
  });
});

describe('another try', () => {
  it.each([408, 429, 500, 503])('is made after %i, until it goes well', async (status) => {
    let count = 0;
    const url = await serve((_, response) => answer(response, ++count < 3 ? status : 200));
    expect(await send({ url }, { retries: 3 })).toEqual({ status: 200, tries: 3 });
  });

  it('is made as often as is asked for, after growing pauses', async () => {
    const pauses: number[] = [];
    const url = await serve((_, response) => answer(response, 500));
    const pause = async (ms: number): Promise<void> => void pauses.push(ms);
    const failing = send({ url }, { retries: 8, pause, random: () => 0.5 });
    await expect(failing).rejects.toThrow('(tried 9 times)');
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('waits for as long as the server asks, and never for more than a minute', async () => {
    const pauses: number[] = [];
    const asked = ['7', '86400', 'tomorrow'];
    const url = await serve((_, response) => answer(response, 429, { 'Retry-After': asked[pauses.length] ?? '1' }));
    const pause = async (ms: number): Promise<void> => void pauses.push(ms);
    await expect(send({ url }, { retries: 3, pause, random: () => 0.5 })).rejects.toThrow('429');
    expect(pauses).toEqual([7_000, 60_000, 4_000]);
  });

  it('is made when nobody answers', async () => {
    const failing = send({ url: 'http://127.0.0.1:1/' }, { retries: 1 });
    await expect(failing).rejects.toMatchObject({ code: 'ECONNREFUSED', message: expect.stringContaining('tried 2') });
  });

  it('is not made of a request that cannot be sent', async () => {
    const url = await serve((_, response) => answer(response, 200));
    const failing = send({ url, headers: { 'x-from-outside': 'a\nb: secret' } }, { retries: 1 });
    const message = `${url}: a header has characters that cannot be sent`;
    await expect(failing).rejects.toMatchObject({ code: 'EINVAL', message });
  });

  it('is made no more when the daemon stops, nor is a try that is under way waited for', async () => {
    const url = await serve(() => {});
    const controller = new AbortController();
    const running = send({ url }, { signal: controller.signal, retries: 5 });
    setTimeout(() => controller.abort(), 50);
    await expect(running).rejects.toMatchObject({ code: 'EINTR' });
  });
});

describe('a redirect', () => {
  it('within the server is followed, as a look where it says so', async () => {
    const seen: string[] = [];
    const url = await serve(async (request, response) => {
      seen.push(`${request.method} ${request.url} ${await bodyOf(request)}`);
      if (request.url === '/a') answer(response, 307, { location: '/b' });
      else if (request.url === '/b') answer(response, 303, { location: 'c' });
      else answer(response, 200);
    });
    expect((await send({ url: `${url}/a`, body: 'x' })).status).toBe(200);
    expect(seen).toEqual(['POST /a x', 'POST /b x', 'GET /c ']);
  });

  it('to another server is not: what was sent is not for that', async () => {
    let reached = false;
    const other = await serve((_, response) => {
      reached = true;
      answer(response, 200);
    });
    const url = await serve((_, response) => answer(response, 307, { location: `${other}/x` }));
    await expect(send({ url, headers: { 'x-key': 'secret' } }, { retries: 2 })).rejects.toMatchObject({
      code: 'EREMOTEIO',
      message: `${url} answers with a redirect to ${other}`,
    });
    expect(reached).toBe(false);
  });

  it('in a circle ends', async () => {
    let count = 0;
    const url = await serve((_, response) => {
      count++;
      answer(response, 302, { location: '/' });
    });
    await expect(send({ url })).rejects.toThrow('more than 3 redirects');
    expect(count).toBe(4);
  });
});

describe('a bad server', () => {
  it('that never answers is not waited for', async () => {
    const url = await serve(() => {});
    await expect(send({ url }, { timeoutNs: 100e6 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('that answers drop by drop is not waited for', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    await expect(send({ url }, { timeoutNs: 300e6 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('that answers without end is left', async () => {
    let closed = false;
    const url = await serve((_, response) => {
      response.writeHead(200);
      const block = 'x'.repeat(65_536);
      const go = (): void => void response.write(block, () => !closed && go());
      response.on('close', () => {
        closed = true;
      });
      go();
    });
    expect((await send({ url })).status).toBe(200);
    await expect.poll(() => closed).toBe(true);
  });

  it.each([
    ['rubbish', 'rubbish\r\n\r\n'],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['nothing', ''],
    ['a header without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
  ])('that answers with %s is an error', async (_, bytes) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(send({ url, headers: { authorization: 'secret' } })).rejects.toMatchObject({
      code: 'EIO',
      message: expect.not.stringContaining('secret'),
    });
  });
});
