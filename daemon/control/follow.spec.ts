// A follower of events over breaks: it has each event once, and goes on where it was, also after a restart.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlClient } from './client.js';
import { FakeService } from './fake-service.spec-helper.js';
import { followEvents } from './follow.js';
import { type ControlServer, startControl } from './server.js';

const OFTEN = { interval: 5 };

let directory = '';
let path = '';
let service: FakeService;
let server: ControlServer;
let client: ControlClient;
let ending: AbortController;
let breaks: boolean[];
let seen: string[];

const start = () => startControl({ target: service, path, log: pino({ level: 'silent' }) });
const emit = (n: number): void => service.emit({ type: 'log', atNs: n, interrupt: 'button1', text: String(n) });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-follow-'));
  path = join(directory, 'control.sock');
  service = new FakeService();
  server = await start();
  client = new ControlClient(path);
  ending = new AbortController();
  breaks = [];
  seen = [];
});
afterEach(async () => {
  ending.abort();
  await client.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function follow(waitMs: number, through = client): Promise<void> {
  const events = followEvents(through, { waitMs, signal: ending.signal, onBreak: (away) => breaks.push(away) });
  for await (const event of events)
    seen.push(event.type === 'gap' ? `missed ${event.missed}` : event.type === 'log' ? event.text : event.type);
}

it('goes on without a gap when its connection is cut', async () => {
  const following = follow(60_000);
  await expect.poll(() => service.listeners, OFTEN).toBe(1);
  emit(1);
  await expect.poll(() => seen, OFTEN).toEqual(['1']);
  // Its agent ends the connection; the follower takes another one.
  await client.close();
  emit(2);
  emit(3);
  await expect.poll(() => seen, OFTEN).toEqual(['1', '2', '3']);
  expect(breaks).toEqual([true, false]);
  ending.abort();
  await client.close();
  await following;
});

it('goes on after a restart, and says that something may be missing', async () => {
  const following = follow(60_000);
  await expect.poll(() => service.listeners, OFTEN).toBe(1);
  emit(1);
  await expect.poll(() => seen, OFTEN).toEqual(['1']);
  await server.close();
  emit(2);
  server = await start();
  await expect.poll(() => service.listeners, OFTEN).toBe(1);
  emit(3);
  await expect.poll(() => seen, OFTEN).toEqual(['1', 'missed unknown', '3']);
  ending.abort();
  await client.close();
  await following;
});

it('ends when the daemon is away for longer than it may be', async () => {
  const following = follow(50);
  await expect.poll(() => service.listeners, OFTEN).toBe(1);
  await server.close();
  await expect(following).rejects.toMatchObject({ code: 'ENODATA' });
});

it('does not wait for a daemon that was never there, nor for what it is refused', async () => {
  const nobody = new ControlClient(join(directory, 'none.sock'));
  await expect(follow(60_000, nobody)).rejects.toMatchObject({ code: 'ENOENT' });
  const events = followEvents(client, { waitMs: 60_000, lines: ['nope'] });
  await expect(events.next()).rejects.toMatchObject({ code: 'ENOENT', message: expect.stringContaining('nope') });
});
