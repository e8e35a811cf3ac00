// A daemon that nobody asks anything is not woken by its API; what it does at a connection is over with it.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ControlClient } from './client.js';
import { FakeService } from './fake-service.spec-helper.js';
import { CONTROL_LIMITS } from './limits.js';
import { type ControlServer, startControl } from './server.js';

let directory = '';
let path = '';
let server: ControlServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-idle-'));
  path = join(directory, 'control.sock');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  server = await startControl({ target: new FakeService(), path, log: pino({ level: 'silent' }) });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const turns = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((settle) => setImmediate(settle));
};

it('has no timer until somebody connects, and none when they have gone', async () => {
  expect(vi.getTimerCount()).toBe(0);
  const socket = connect(path);
  await turns(() => vi.getTimerCount() === 1);
  socket.destroy();
  await turns(() => vi.getTimerCount() === 0);
  const client = new ControlClient(path);
  await client.call('GET', '/v1/status');
  await client.close();
  await turns(() => vi.getTimerCount() === 0);
});

it('ends a connection that says nothing, by a timer of its own', async () => {
  const socket = connect(path);
  socket.resume();
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  await turns(() => vi.getTimerCount() === 1);
  vi.advanceTimersByTime(CONTROL_LIMITS.headersMs - 1);
  expect(closed).toBe(false);
  vi.advanceTimersByTime(1);
  await turns(() => closed);
  expect(vi.getTimerCount()).toBe(0);
});

it('lets an answer take its time', async () => {
  const service = new FakeService();
  let done: () => void = () => undefined;
  service.press = () =>
    new Promise((settle) => {
      done = settle;
    });
  await server.close();
  server = await startControl({ target: service, path, log: pino({ level: 'silent' }) });
  const client = new ControlClient(path);
  const pressed = client.call('POST', '/v1/buttons/button1/press', { forNs: 1e10 });
  let called = false;
  const was = done;
  await turns(() => {
    called = done !== was;
    return called;
  });
  vi.advanceTimersByTime(CONTROL_LIMITS.requestMs + CONTROL_LIMITS.headersMs + CONTROL_LIMITS.keepAliveMs);
  done();
  expect(await pressed).toMatchObject({ pressed: 'button1' });
  await client.close();
});
