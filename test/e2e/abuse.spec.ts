// What clients and fingers can do to it: rubbish, floods and storms leave the daemon up, and every press is handled.

import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Daemon, EXAMPLE, useLab } from './running-daemon.js';

const lab = useLab();
/** The machine may be busy. */
const TIMEOUT = 300_000;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Sends bytes on a connection of its own; what came back until the other side closed it. */
function raw(daemon: Daemon, bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(daemon.socket);
    sockets.push(socket);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // A reset while writing is one of the right answers; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.write(bytes);
  });
}

/** That it answers, and reacts to presses. */
async function reacts(daemon: Daemon): Promise<void> {
  const { rising } = await daemon.line('button1');
  await daemon.press('button1');
  expect((await daemon.line('led1')).value).toBe(1);
  await daemon.press('button2');
  expect((await daemon.line('led1')).value).toBe(0);
  expect((await daemon.line('button1')).rising).toBe(rising + 1);
  expect(await daemon.status()).toMatchObject({ dropped: 0, handlerErrors: 0 });
}

test('rubbish on the control socket is answered, and it still reacts', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  const random = Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) & 0xff);
  expect(await raw(daemon, random)).toMatch(/^HTTP\/1\.1 400 .*"code":"BAD_REQUEST"/s);
  expect(await raw(daemon, '\u0000\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(daemon, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 /);
  const json = 'host: x\r\nconnection: close\r\ncontent-type: application/json\r\n';
  expect(await raw(daemon, `PUT /v1/lines/led1 HTTP/1.1\r\n${json}content-length: 7\r\n\r\n{"value`)).toMatch(
    /^HTTP\/1\.1 400 /,
  );
  await reacts(daemon);
});

test('a body of 10 MB is refused, and it still reacts', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(EXAMPLE);
  const bytes = 10 * 1024 * 1024;
  const head = `PUT /v1/lines/led1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
  const answer = await raw(daemon, Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, ' ')]));
  // The answer may be lost to the reset of a connection that is still being written to.
  if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"BODY_TOO_LARGE"/s);
  await reacts(daemon);
});

test('1000 connections at once leave it up: who watched before still does, and others are served afterwards', {
  timeout: TIMEOUT,
}, async () => {
  const daemon = await lab.start(EXAMPLE);
  // Connected before the flood, as somebody is who watches.
  const watch = await daemon.watch();
  let refused = 0;
  const closed: Promise<void>[] = [];
  // It has room for 64 clients; the others are closed at once.
  await new Promise<void>((mostRefused) => {
    for (let i = 0; i < 1000; i++) {
      const socket = connect(daemon.socket);
      sockets.push(socket);
      socket.on('error', () => undefined);
      closed.push(new Promise((resolve) => socket.on('close', () => resolve())));
      socket.on('close', () => {
        if (++refused === 900) mostRefused();
      });
      socket.write('GET /v1/status HTTP/1.1\r\n');
    }
  });
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await expect.poll(() => daemon.status().catch(() => undefined), { timeout: TIMEOUT }).toBeDefined();
  await reacts(daemon);
  await watch.count('edge', 2);
  expect(daemon.out).toMatch(/too many connections/);
});

test('300 quick presses: each is counted, handled by the top half, the thread and the work item', {
  timeout: TIMEOUT,
}, async () => {
  const presses = 150;
  const interrupt = (button: string): string => `
  - line: ${button}
    top_half: [{ toggle: led1 }]
    thread: [{ log: "thread {seqno}" }]
    work: { do: [{ log: "work {seqno}" }] }`;
  const file = lab.write(
    'quick.yaml',
    `lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low }
  button2: { gpio: 18, edge: both, bias: pull-up, active: low }
  led1: { gpio: 4, direction: out }
interrupts:${interrupt('button1')}${interrupt('button2')}
`,
  );
  const daemon = await lab.start(file, '--log-level', 'warn');
  const watch = await daemon.watch();
  const pressAll = async (button: string): Promise<void> => {
    for (let i = 0; i < presses; i++) await daemon.press(button, { forNs: 1e6 });
  };
  await Promise.all([pressAll('button1'), pressAll('button2')]);
  const edges = await watch.count('edge', presses * 4);
  const expected = Array.from({ length: presses * 2 }, (_, i) => i + 1);
  for (const [at, button] of ['button1', 'button2'].entries()) {
    const mine = edges.filter(({ line }) => line === button);
    expect(mine.map(({ lineSeqno }) => lineSeqno)).toEqual(expected);
    expect(mine.map(({ edge }) => edge)).toEqual(expected.map((n) => (n % 2 === 1 ? 'rising' : 'falling')));
    const logs = (await watch.count('log', presses * 8)).filter(({ interrupt: name }) => name === button);
    for (const kind of ['thread', 'work']) {
      expect(logs.filter(({ text }) => text.startsWith(kind)).map(({ text }) => text)).toEqual(
        expected.map((n) => `${kind} ${n}`),
      );
    }
    expect(await daemon.line(button)).toMatchObject({ rising: presses, falling: presses, lost: 0, dropped: 0 });
    expect((await daemon.interrupts()).interrupts[at]?.counts).toEqual([presses * 2]);
  }
  // Every toggle of the LED is told with the level that it made.
  const values = await watch.count('value', presses * 4);
  const ordered = [...values].sort((a, b) => a.atNs - b.atNs).map(({ value }) => value);
  expect(ordered).toEqual(ordered.map((_, i) => (i % 2 === 0 ? 1 : 0)));
  expect(await daemon.status()).toMatchObject({
    edges: { received: presses * 4, lost: 0 },
    dropped: 0,
    handlerErrors: 0,
  });
});
