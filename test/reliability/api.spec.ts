// The built daemon under what clients can do to it: rubbish, floods, a watcher that never reads; its edges come through all along.
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendRaw } from '../../daemon/control/raw-request.spec-helper.js';
import { type DaemonProcess, Site } from './daemon-process.js';
import { percentile, tell, times } from './figures.js';
import { randomRequests, SteadyClient } from './requests.js';

const REQUESTS = times(10_000, 4_000);
const AT_ONCE = 20;
const SEED = 8;
const CLIENTS = 1_000;
/** From an edge to the answer of its press: what is measured without and with the flood. */
const PRESSES = 200;

const CONFIG = `
lines:
  button: { gpio: 17, edge: both, bias: pull-up, active: low }
  steady: { gpio: 18, edge: both, bias: pull-up, active: low }
  lamp: { gpio: 4, direction: out }
interrupts:
  - { line: button, top_half: [{ toggle: lamp }], thread: [{ log: "{line} {edge}" }] }
  - { line: steady, top_half: [{ toggle: lamp }], work: { do: [{ log: "{line} {seqno}" }] } }
triggers:
  - { name: ring, hook: ring, work: { do: [{ toggle: lamp }] } }
`;

let site: Site;
let daemon: DaemonProcess;
let steady: SteadyClient;
beforeEach(async () => {
  site = new Site();
  site.write('config.yaml', CONFIG);
  daemon = await site.start();
  steady = new SteadyClient(site.socket);
});
afterEach(() => {
  steady.close();
  return site.close();
});

/** Presses one after the other. @returns how long each took until all that it set off had run, in ms */
async function press(count: number): Promise<number[]> {
  const took: number[] = [];
  while (took.length < count) {
    const begin = performance.now();
    const { status } = await steady.call('POST', '/v1/buttons/steady/press', { forNs: 1_000_000 });
    if (status === 200) took.push(performance.now() - begin);
    else if (status === 429) await new Promise((resolve) => setTimeout(resolve, 50));
    else throw new Error(`a press is answered with ${status}`);
  }
  return took;
}

/** What is known of a line's edges. */
async function edgesOf(name: string): Promise<{ edges: number; lost: number | 'unknown' }> {
  const line = (await daemon.lines()).find((candidate) => candidate.name === name);
  if (line === undefined) throw new Error(`no line ${name}`);
  return { edges: line.rising + line.falling, lost: line.lost };
}

/** The API lets so many through a second; what is over is refused, and tried again. */
async function retried(bytes: string): Promise<string> {
  for (;;) {
    const answer = await sendRaw(site.socket, bytes);
    if (!/^HTTP\/1\.1 429 /.test(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it(`answers or refuses ${REQUESTS} random requests, and handles every edge meanwhile`, async () => {
  const statuses = new Map<string, number>();
  const failed: string[] = [];
  const requests = randomRequests(REQUESTS, SEED);
  let pressed = 0;
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const batch = requests.slice(at, at + AT_ONCE);
    const answers = await Promise.all(batch.map(retried));
    for (const [i, answer] of answers.entries()) {
      const status = /^(?:HTTP\/1\.1 100 .*\r\n\r\n)?HTTP\/1\.1 (\d)\d\d /.exec(answer)?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const refusal = /"code":"(NOT_SUPPORTED|ENOTSUP|ENODEV)"/.test(answer);
      if (status === 'none' || (status === '5' && !refusal)) failed.push(`${batch[i]}\n-> ${answer.slice(0, 300)}`);
    }
    if ((at / AT_ONCE) % 10 === 0) pressed += (await press(1)).length;
  }
  expect(failed.slice(0, 3)).toEqual([]);
  expect(statuses.get('2')).toBeGreaterThan(REQUESTS / 50);
  expect(await edgesOf('steady')).toEqual({ edges: 2 * pressed, lost: 0 });
  expect((await daemon.status()).pid).toBe(daemon.pid);
  expect(await daemon.kill('SIGTERM')).toBe(0);
  tell('requests', [
    ['random requests', `${REQUESTS} (seed ${SEED})`],
    ['answered, refused', `${statuses.get('2') ?? 0}, ${(statuses.get('4') ?? 0) + (statuses.get('5') ?? 0)}`],
    ['edges meanwhile, all handled', 2 * pressed],
    ['crashes', 0],
  ]);
});

/** Keeps clients coming: as soon as one is thrown out, the next one is there. */
class Flood {
  connections = 0;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  #over = false;

  constructor(path: string, clients: number) {
    this.#path = path;
    for (let i = 0; i < clients; i++) this.#come(i);
  }

  end(): void {
    this.#over = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #come(i: number): void {
    if (this.#over) return;
    const socket = connect(this.#path);
    this.#sockets.add(socket);
    socket.on('connect', () => {
      this.connections++;
      // One in three says nothing, one in three asks half a question, and one watches without ever reading.
      if (i % 3 === 1) socket.write('GET /v1/status HTTP/1.1\r\nhost: localhost\r\n');
      if (i % 3 === 2) socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
      socket.pause();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      setTimeout(() => this.#come(i), 100 + (i % 100));
    });
    // A paused socket does not hear of its end.
    setTimeout(() => socket.resume(), 500);
  }
}

it(`serves a client that is connected, and handles its edges, while ${CLIENTS} others flood the socket`, async () => {
  const quiet = await press(PRESSES);
  const flood = new Flood(site.socket, CLIENTS);
  await expect.poll(() => flood.connections).toBeGreaterThan(CLIENTS);
  const flooded = await press(PRESSES);
  const { connections } = flood;
  flood.end();
  expect(await edgesOf('steady')).toEqual({ edges: 4 * PRESSES, lost: 0 });
  await expect.poll(async () => (await daemon.status()).control.watching).toBe(0);
  const { control, handlerErrors } = await daemon.status();
  expect(control.refused).toBeGreaterThan(0);
  expect(handlerErrors).toBe(0);
  const figure = (took: readonly number[]): string => [50, 90, 99].map((p) => percentile(took, p)).join(', ');
  tell('flood', [
    ['clients at once, and connections in all', `${CLIENTS}, and ${connections}`],
    ['connections refused', control.refused],
    [`${PRESSES} presses of 1 ms until all had run, before: half, 90 %, 99 %`, figure(quiet)],
    ['the same during the flood', figure(flooded)],
    ['edges lost', 0],
  ]);
});
