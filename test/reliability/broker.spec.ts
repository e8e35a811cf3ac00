// A broker that is killed and started again at random while edges come: each edge is confirmed or counted as given up.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mulberry32 } from '../../sim-fallback/board/prng.js';
import { Mosquitto, Observer, until } from '../mqtt/mosquitto.js';
import { type DaemonProcess, Site } from './daemon-process.js';
import { tell, times } from './figures.js';
import { Witness } from './witness.js';

const KILLS = times(12, 3);
const SEED = 8;
/**
 * How long the broker is there with the daemon connected to it, and away, at most. Only one that was there for ten seconds is
 * tried again at once: after many that were there for less, the pauses between tries are a minute.
 */
const UP_MS = times(18_000, 1_000);
const DOWN_MS = 2_500;
const PRESS_NS = 1_000_000;
/** Messages that are sent and not yet confirmed, at most (docs/mqtt.md). */
const ON_THEIR_WAY = 16;

let site: Site;
let broker: Mosquitto;
let witness: Witness;
beforeEach(async () => {
  site = new Site();
  broker = new Mosquitto();
  await broker.start();
  witness = new Witness('house/pi/line/button/event', broker.port);
  await witness.start();
});
afterEach(async () => {
  await site.close();
  witness.close();
  await broker.remove();
});

/** A daemon that may keep so many messages for a broker that is away. */
async function start(queueMax: number): Promise<DaemonProcess> {
  site.write(
    'config.yaml',
    `
lines:
  button: { gpio: 17, edge: both, bias: pull-up, active: low }
  lamp: { gpio: 4, direction: out }
interrupts:
  - { line: button, top_half: [{ toggle: lamp }] }
mqtt: { url: "mqtt://127.0.0.1:${witness.port}", base_topic: house/pi, queue_max: ${queueMax} }
`,
  );
  return site.start();
}

async function mqttOf(daemon: DaemonProcess) {
  const { mqtt } = await daemon.status();
  if (mqtt === undefined) throw new Error('no MQTT in the status');
  return mqtt;
}

/** Presses a button until the broker has been killed and started again so often. */
async function outages(daemon: DaemonProcess): Promise<void> {
  const random = mulberry32(SEED);
  const some = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, random() * ms));
  let over = false;
  const pressing = (async () => {
    while (!over) await daemon.press('button', PRESS_NS);
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await until('connected', async () => (await mqttOf(daemon)).connected);
    await some(UP_MS);
    await broker.kill();
    await some(DOWN_MS);
    await broker.restart();
  }
  over = true;
  await pressing;
  await until('all is told', async () => {
    const { connected, queued, unconfirmed } = await mqttOf(daemon);
    return connected && queued === 0 && unconfirmed === 0;
  });
}

/** Edges that were made, each of which has been handled. */
async function edgesOf(daemon: DaemonProcess): Promise<number> {
  const { edges, dropped, handlerErrors } = await daemon.status();
  expect({ lost: edges.lost, dropped, handlerErrors }).toEqual({ lost: 0, dropped: 0, handlerErrors: 0 });
  return edges.received;
}

it(`keeps every edge over ${KILLS} kills of its broker`, async () => {
  const daemon = await start(100_000);
  await outages(daemon);
  const edges = await edgesOf(daemon);
  const { dropped, refused, reconnects } = await mqttOf(daemon);
  expect({ dropped, refused }).toEqual({ dropped: 0, refused: 0 });
  expect(reconnects).toBeGreaterThanOrEqual(KILLS);
  expect([...witness.confirmed].sort((a, b) => a - b)).toEqual(Array.from({ length: edges }, (_, i) => i + 1));
  // The broker has forgotten what it retained, and is told anew.
  const late = await Observer.connect(broker.url);
  try {
    const led = (await daemon.lines()).find(({ name }) => name === 'lamp')?.value === 1 ? 'ON' : 'OFF';
    await until('the state of the lamp', () => late.newest('house/pi/line/lamp/state') === led);
    expect(late.newest('house/pi/status')).toBe('online');
  } finally {
    await late.end();
  }
  tell('broker', [
    ['kills of the broker', `${KILLS}, away for up to ${DOWN_MS} ms (seed ${SEED})`],
    ['edges, and confirmed by the broker', `${edges}, and ${witness.confirmed.size}`],
    ['messages sent more than once', witness.sent - witness.confirmed.size],
    ['given up', dropped],
  ]);
});

it('counts every edge that it gives up for want of room', async () => {
  const daemon = await start(20);
  await outages(daemon);
  const edges = await edgesOf(daemon);
  const { dropped, refused } = await mqttOf(daemon);
  const missing = edges - witness.confirmed.size;
  expect(refused).toBe(0);
  expect(missing).toBeGreaterThan(0);
  // What the broker confirmed as it died, the daemon may not have heard, and have given up.
  expect(dropped).toBeGreaterThanOrEqual(missing);
  expect(dropped).toBeLessThanOrEqual(missing + ON_THEIR_WAY * KILLS);
  tell('broker-small', [
    ['edges, and confirmed by the broker', `${edges}, and ${witness.confirmed.size}`],
    ['missing, and counted as given up', `${missing}, and ${dropped}`],
  ]);
});
