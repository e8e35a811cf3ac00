// The daemon as it is shipped with a broker: presses, commands, actions, triggers, reload, and its end.

import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, TestBroker } from '../../daemon/mqtt/broker.spec-helper.js';
import { useLab } from './running-daemon.js';

const lab = useLab();
const TIMEOUT = 300_000;
let broker: TestBroker;

beforeEach(async () => {
  broker = new TestBroker();
  await broker.open();
});

afterEach(() => broker.close());

function config(more = ''): string {
  return `
lines:
  button1: { gpio: 17, edge: both, bias: pull-up, active: low, debounce: 1ms }
  led1: { gpio: 4, direction: out }
${more}
interrupts:
  - line: button1
    top_half: [ { set: led1, value: 1 } ]
    work: { do: [ { mqtt: "home/bell", payload: "{line} {edge}", qos: 1 } ] }
triggers:
  - { name: far, mqtt: home/off, work: { do: [ { set: led1, value: 0 } ] } }
mqtt: { url: "${broker.url}", base_topic: house/pi }
`;
}

test('presses, commands, actions and triggers go through the broker', { timeout: TIMEOUT }, async () => {
  const daemon = await lab.start(lab.write('mqtt.yaml', config()));
  await eventually(() => broker.newest('house/pi/status') === 'online');
  await eventually(() => broker.newest('homeassistant/device/house_pi/config')?.includes('"sw_version"'));
  await daemon.press('button1', { forNs: 10e6 });
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'ON');
  await eventually(() => broker.lines.includes('home/bell button1 rising'));
  const told = await eventually(() => broker.got.find(({ topic }) => topic === 'house/pi/line/button1/event'));
  expect(JSON.parse(told.payload)).toMatchObject({ event_type: 'rising', line: 'button1', seqno: 1 });
  await broker.send('home/off', 'now');
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'OFF');
  await broker.send('house/pi/line/led1/set', 'ON');
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'ON');
  expect(await daemon.line('led1')).toMatchObject({ value: 1 });
  const { out } = await daemon.ctl('status');
  expect(out).toMatch(new RegExp(`^mqtt +connected to ${broker.url}; \\d+ published, 0 waiting, 0 given up$`, 'm'));
  expect((await daemon.ends('SIGTERM')).code).toBe(0);
  expect(broker.newest('house/pi/status')).toBe('offline');
});

test('without a broker the daemon runs all the same, says so, and ends at once', { timeout: TIMEOUT }, async () => {
  await broker.close();
  const daemon = await lab.start(lab.write('mqtt.yaml', config()));
  const watch = await daemon.watch();
  await daemon.press('button1', { forNs: 10e6 });
  await eventually(async () => (await daemon.status()).mqtt?.problem);
  expect((await daemon.status()).mqtt).toMatchObject({ connected: false, dropped: 0 });
  expect(await daemon.line('led1')).toMatchObject({ value: 1 });
  await broker.open();
  expect(await watch.until(({ type }) => type === 'mqtt')).toMatchObject({ phase: 'connected', broker: broker.url });
  await eventually(() => broker.lines.includes('home/bell button1 rising'));
  await broker.close();
  // Were the broker waited for, this would not be over before the time of the test is.
  expect((await daemon.ends('SIGTERM')).code).toBe(0);
});

test('a reload tells the broker of new lines, over the same connection', { timeout: TIMEOUT }, async () => {
  const path = lab.write('mqtt.yaml', config());
  const daemon = await lab.start(path);
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'OFF');
  writeFileSync(path, config('  led2: { gpio: 5, direction: out, initial: 1 }'));
  expect((await daemon.ctl('reload')).code).toBe(0);
  await eventually(() => broker.newest('house/pi/line/led2/state') === 'ON');
  await eventually(() => broker.newest('homeassistant/device/house_pi/config')?.includes('led2'));
  expect((await daemon.status()).mqtt).toMatchObject({ connected: true, reconnects: 0 });
});
