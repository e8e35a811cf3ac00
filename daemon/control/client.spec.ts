// What a client is told of a path where no daemon is, and of answers that are none of a daemon.

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatLines } from '../format.js';
import { shown } from '../session.js';
import { ControlClient } from './client.js';
import type { LinesStatus } from './target.js';

let folder = '';
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-client-'));
});
afterEach(async () => {
  await new Promise((settle) => (server === undefined ? settle(undefined) : server.close(settle)));
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string): Promise<unknown> {
  const client = new ControlClient(path);
  try {
    return await client.call('GET', '/v1/status');
  } finally {
    await client.close();
  }
}

/** Listens, and answers whatever it is asked with the same bytes. */
async function answering(bytes: string): Promise<string> {
  const path = join(folder, 'control.sock');
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((settle) => server?.listen(path, settle));
  return path;
}

const http = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

it.each([
  ['a folder', '', 'ENOTSOCK', /is no socket$/],
  ['a file', 'file', 'ENOTSOCK', /file is no socket$/],
  ['nothing', 'none', 'ENOENT', /^no daemon: there is no socket at/],
  ['a link to itself', 'loop', 'ELOOP', /loop: too many symbolic links$/],
  ['a name that no socket can have', 'a'.repeat(200), 'EINVAL', /1 to 107 are possible$/],
])('%s is told of as that', async (_what, name, code, message) => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('loop', join(folder, 'loop'));
  await expect(ask(join(folder, name))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    hint: expect.any(String),
  });
});

it.each([
  ['no HTTP', '\u0000\u0001\u0002rubbish', 'BAD_ANSWER', /does not answer in HTTP$/],
  ['no JSON', http('200 OK', '{"a":'), 'BAD_ANSWER', /^the daemon answered 200, and not in JSON$/],
  ['a refusal that is no JSON', http('500 No', 'xx'), 'BAD_ANSWER', /^the daemon answered 500, and not in JSON$/],
  ['a refusal of another form', http('500 No', 'null'), 'BAD_ANSWER', /^status 500$/],
  ['half an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{', 'ECONNRESET', /^the connection was closed at/],
])('an answer that is %s is told of as that', async (_what, bytes, code, message) => {
  await expect(ask(await answering(bytes))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

it.each([{}, null, 'text', 5])('an answer of the form %j is not shown as one of a daemon', (answer) => {
  const show = (): string => shown(() => formatLines(answer as unknown as LinesStatus));
  expect(show).toThrow(expect.objectContaining({ code: 'BAD_ANSWER', hint: expect.stringContaining('--json') }));
});
