// Twenty daemons, as they are shipped, on one broker: each tells of its own presses, and all come back with the broker.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, Lab } from '../e2e/running-daemon.js';
import { Mosquitto, Observer, until } from './mosquitto.js';

const FLEET = 20;

const lab = new Lab();
const broker = new Mosquitto();
let observer: Observer;
const daemons: Daemon[] = [];

function config(i: number): string {
  return `
lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 1ms }
  led1: { gpio: 4, direction: out }
interrupts:
  - line: button1
    top_half: [ { toggle: led1 } ]
    work: { do: [ { mqtt: "house/bell", payload: "pi${i} {edge} {seqno}", qos: 1 } ] }
mqtt: { url: "${broker.url}", base_topic: house/pi${i}, keepalive: 5s }
`;
}

beforeAll(async () => {
  lab.open();
  await Promise.all([lab.build(true), broker.start()]);
  observer = await Observer.connect(broker.url, { clientId: 'observer' });
  for (let i = 0; i < FLEET; i += 4) {
    const few = Array.from({ length: Math.min(4, FLEET - i) }, (_, k) => i + k);
    daemons.push(...(await Promise.all(few.map((n) => lab.startAs(`pi${n}`, lab.write(`pi${n}.yaml`, config(n)))))));
  }
}, 240_000);

afterAll(async () => {
  await observer.end();
  await lab.close();
  lab.remove();
  await broker.remove();
});

const each = (check: (i: number) => boolean): boolean => Array.from({ length: FLEET }, (_, i) => i).every(check);

test('each daemon is there, under its own name, and Home Assistant is told of each', async () => {
  await until('all are online', () => each((i) => observer.newest(`house/pi${i}/status`) === 'online'));
  const devices = new Set(
    observer.heard.map(({ topic }) => topic).filter((topic) => topic.startsWith('homeassistant/')),
  );
  expect(devices.size).toBe(FLEET);
  const clients = new Set(await Promise.all(daemons.map(async (daemon) => (await daemon.status()).mqtt?.clientId)));
  expect(clients.size).toBe(FLEET);
});

test('every press on each arrives under its own topic', async () => {
  await Promise.all(
    daemons.map(async (daemon) => {
      for (let k = 0; k < 3; k++) await daemon.press('button1', { forNs: 10e6 });
    }),
  );
  const told = (i: number): number => observer.seqnos(`house/pi${i}/line/button1/event`).length;
  await until('three presses of each', () => each((i) => told(i) === 6));
  await until('the LED of each', () => each((i) => observer.newest(`house/pi${i}/line/led1/state`) === 'OFF'));
  const rings = (): Set<string> =>
    new Set(observer.heard.filter(({ topic }) => topic === 'house/bell').map(({ payload }) => payload));
  await until('the bell of each', () => rings().size === 6 * FLEET);
});

test('a command reaches the one it is for, and no other', async () => {
  await observer.client.publishAsync('house/pi7/line/led1/set', 'ON', { qos: 1 });
  await until('its state', () => observer.newest('house/pi7/line/led1/state') === 'ON');
  expect(each((i) => i === 7 || observer.newest(`house/pi${i}/line/led1/state`) === 'OFF')).toBe(true);
});

test('of one that is killed the broker tells', async () => {
  await daemons[3]?.ends('SIGKILL');
  await until('its will', () => observer.newest('house/pi3/status') === 'offline');
  daemons[3] = await lab.startAs('pi3', lab.write('pi3.yaml', config(3)));
  await until('online again', () => observer.newest('house/pi3/status') === 'online');
});

test('when the broker is killed and started again all come back, with what was pressed meanwhile', async () => {
  await broker.kill();
  await until('all have noticed', async () =>
    (await Promise.all(daemons.map((one) => one.status()))).every(({ mqtt }) => mqtt?.connected === false),
  );
  observer.heard.length = 0;
  await Promise.all(daemons.map((daemon) => daemon.press('button1', { forNs: 10e6 })));
  await broker.restart();
  await until(
    'all are back',
    async () => {
      const all = await Promise.all(daemons.map((one) => one.status()));
      return all.every(({ mqtt }) => mqtt?.connected === true && mqtt.queued === 0 && mqtt.unconfirmed === 0);
    },
    100_000,
  );
  const counts = await Promise.all(daemons.map(async (one) => (await one.status()).mqtt));
  expect(counts.map((mqtt) => mqtt?.dropped)).toEqual(Array.from({ length: FLEET }, () => 0));
  // Who comes after the storm finds all that is retained.
  const late = await Observer.connect(broker.url);
  try {
    await until('all are online', () => each((i) => late.newest(`house/pi${i}/status`) === 'online'));
    await until('all states', () => each((i) => late.newest(`house/pi${i}/line/button1/state`) === 'OFF'));
  } finally {
    await late.end();
  }
});

test('one that is stopped says so, and ends cleanly', async () => {
  const stopped = daemons.splice(0, 2);
  expect((await Promise.all(stopped.map((daemon) => daemon.ends('SIGTERM')))).map(({ code }) => code)).toEqual([0, 0]);
  await until('offline', () => [0, 1].every((i) => observer.newest(`house/pi${i}/status`) === 'offline'));
});
