import { once } from 'node:events';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { configOf, eventually, FAKE_LINES, TestBroker, TestDaemon } from './broker.spec-helper.js';

let broker: TestBroker;
let daemon: TestDaemon;

beforeEach(async () => {
  broker = new TestBroker();
  await broker.open();
  daemon = new TestDaemon();
});

afterEach(async () => {
  await daemon.mqtt.stop();
  await broker.close();
});

async function connect(more = ''): Promise<void> {
  await daemon.start(configOf(broker.url, more));
  await daemon.connected();
  // The broker confirms a little before it tells the test.
  const told = ['house/pi/status', 'house/pi/line/led1/state', 'house/pi/line/button2/state'];
  const topics = [...told, 'homeassistant/device/house_pi/config'];
  await eventually(() => topics.every((topic) => broker.newest(topic) !== undefined));
}

test('once connected, the broker is told that the daemon is there, of its device, and what each line is at', async () => {
  await connect();
  await eventually(() => broker.got.length === 4);
  expect(broker.lines.filter((line) => !line.startsWith('homeassistant')).sort()).toEqual([
    'house/pi/line/button2/state OFF',
    'house/pi/line/led1/state OFF',
    'house/pi/status online',
  ]);
  expect(broker.got.every(({ retain, qos }) => retain && qos === 1)).toBe(true);
  expect(broker.newest('homeassistant/device/house_pi/config')).toContain('"identifiers":["house_pi"]');
  expect(daemon.mqtt.status()).toMatchObject({
    broker: broker.url,
    connected: true,
    version: '3.1.1',
    clientId: 'pi',
    baseTopic: 'house/pi',
    dropped: 0,
    reconnects: 0,
  });
  expect(daemon.news).toEqual([{ phase: 'connected', broker: broker.url }]);
});

test('an edge is an event of its line, and a new state where both edges are told', async () => {
  await connect();
  broker.got.length = 0;
  const before = Date.now();
  daemon.edge('button1', 'rising', 7);
  daemon.edge('button2', 'rising', 1);
  daemon.edge('button2', 'falling', 2);
  await eventually(() => broker.got.length === 4);
  const [first, second, third, state] = broker.got;
  expect(first).toMatchObject({ topic: 'house/pi/line/button1/event', retain: false, qos: 1 });
  const event = JSON.parse(first?.payload ?? '') as { at: string };
  expect(event).toMatchObject({ event_type: 'rising', line: 'button1', seqno: 7 });
  // Its stamp is of another clock, and a second is much between the two.
  expect(Date.parse(event.at)).toBeGreaterThan(before - 1_000);
  expect(Date.parse(event.at)).toBeLessThan(Date.now() + 1_000);
  expect([second, third].map((got) => JSON.parse(got?.payload ?? '').event_type)).toEqual(['rising', 'falling']);
  expect(state).toMatchObject({ topic: 'house/pi/line/button2/state', payload: 'OFF', retain: true });
});

test('a way of pressing a button is an event of its line', async () => {
  await connect();
  const atNs = Number(process.hrtime.bigint());
  daemon.service.emit({ type: 'press', atNs, line: 'button2', pattern: 'double', count: 1 });
  const told = await eventually(() => broker.newest('house/pi/line/button2/event'));
  expect(JSON.parse(told)).toMatchObject({ event_type: 'double', line: 'button2', count: 1 });
});

test('a command sets an output, and its state tells so', async () => {
  await connect();
  await broker.send('house/pi/line/led1/set', 'ON');
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'ON');
  expect(daemon.service.led).toBe(1);
  await broker.send('house/pi/line/led1/set', 'toggle');
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'OFF');
  expect(daemon.mqtt.status()).toMatchObject({ commands: 2, commandsRefused: 0 });
});

test.each([
  ['an input', 'button1', 'ON', 'EPERM', 'button1 is an input'],
  ['no line', 'led9', 'ON', 'ENOENT', "no line 'led9'"],
  ['an output, in another word', 'led1', 'bright', 'EINVAL', 'not a command'],
  ['an output, of 100,000 bytes', 'led1', Buffer.alloc(100_000, 'O'), 'EINVAL', 'not a command'],
])('a command to %s is refused with its reason', async (_, line, payload, code, message) => {
  await connect();
  await broker.send(`house/pi/line/${line}/set`, payload);
  const told = await eventually(() => broker.got.find(({ topic }) => topic === 'house/pi/error'));
  expect(JSON.parse(told.payload)).toMatchObject({ line, code, message });
  expect(told.retain).toBe(false);
  expect(daemon.logged.at(-1)).toMatchObject({ level: 'warn', msg: expect.stringContaining(message) });
  expect(daemon.mqtt.status()).toMatchObject({ commandsRefused: 1 });
  expect(daemon.service.led).toBe(0);
});

test('a retained command is not carried out: nobody knows how old it is', async () => {
  await broker.send('house/pi/line/led1/set', 'ON', true);
  await connect();
  const told = await eventually(() => broker.got.find(({ topic }) => topic === 'house/pi/error'));
  expect(JSON.parse(told.payload)).toMatchObject({ code: 'EINVAL', message: 'a retained command is not carried out' });
  expect(daemon.service.led).toBe(0);
});

test('with commands: false nobody sets a line, and Home Assistant is offered no switch', async () => {
  await connect('commands: false');
  await broker.send('house/pi/line/led1/set', 'ON');
  await broker.send('homeassistant/status', 'online');
  await eventually(() => broker.lines.filter((line) => line === 'house/pi/status online').length === 2);
  expect(daemon.service.led).toBe(0);
  expect(broker.newest('homeassistant/device/house_pi/config')).not.toContain('command_topic');
});

test('more commands than are allowed are refused, and told of a few times only', async () => {
  await connect();
  const begin = performance.now();
  for (let i = 0; i < 300; i++) await broker.send('house/pi/line/led1/set', i % 2 === 0 ? 'ON' : 'OFF');
  await eventually(() => (daemon.mqtt.status()?.commandsRefused ?? 0) + (daemon.mqtt.status()?.commands ?? 0) === 300);
  // Fifty a second are allowed and a hundred at once, and of five a second is told: more, where the machine takes its time.
  const tookS = (performance.now() - begin) / 1_000;
  expect(daemon.mqtt.status()?.commandsRefused).toBeGreaterThanOrEqual(Math.floor(300 - 100 - 50 * tookS));
  await eventually(() => broker.got.some(({ topic }) => topic === 'house/pi/error'));
  const told = broker.got.filter(({ topic }) => topic === 'house/pi/error');
  expect(told.length).toBeLessThanOrEqual(Math.ceil(5 + 5 * tookS));
});

test('events that come while the broker is away arrive when it is back, and states only as they are then', async () => {
  await connect();
  await broker.close();
  await eventually(() => daemon.mqtt.status()?.connected === false);
  broker.got.length = 0;
  for (let i = 1; i <= 40; i++) daemon.edge('button2', i % 2 === 1 ? 'rising' : 'falling', i);
  await eventually(() => (daemon.mqtt.status()?.queued ?? 0) >= 41);
  await broker.open();
  await daemon.connected();
  await eventually(() => broker.got.filter(({ topic }) => topic.endsWith('/event')).length >= 40);
  const seqnos = broker.got
    .filter(({ topic }) => topic.endsWith('/event'))
    .map(({ payload }) => JSON.parse(payload).seqno);
  expect(seqnos).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(broker.lines.filter((line) => line.startsWith('house/pi/line/button2/state')).length).toBeLessThanOrEqual(2);
  expect(broker.lines).toContain('house/pi/status online');
  expect(daemon.mqtt.status()).toMatchObject({ reconnects: 1, dropped: 0 });
  expect(daemon.news.map(({ phase }) => phase)).toEqual(['connected', 'disconnected', 'connected']);
});

test('more events than may wait are given up, the oldest first, and counted', async () => {
  await connect('queue_max: 10');
  await broker.close();
  await eventually(() => daemon.mqtt.status()?.connected === false);
  for (let i = 1; i <= 100; i++) daemon.edge('button1', 'rising', i);
  await eventually(() => daemon.mqtt.status()?.dropped === 90);
  broker.got.length = 0;
  await broker.open();
  await daemon.connected();
  await eventually(() => broker.got.filter(({ topic }) => topic.endsWith('/event')).length >= 10);
  const seqnos = broker.got
    .filter(({ topic }) => topic.endsWith('/event'))
    .map(({ payload }) => JSON.parse(payload).seqno);
  expect(seqnos).toEqual(Array.from({ length: 10 }, (_, i) => i + 91));
  expect(daemon.news).toContainEqual({ phase: 'dropped', count: 1 });
  const told = await eventually(
    () => daemon.news.filter((news) => news.phase === 'dropped').length === 2 && daemon.news,
  );
  expect(told.filter((news) => news.phase === 'dropped')).toEqual([
    { phase: 'dropped', count: 1 },
    { phase: 'dropped', count: 89 },
  ]);
  expect(daemon.logged.some(({ msg }) => msg.includes('89 messages given up'))).toBe(true);
});

test('a broker that is away at the start is waited for, and told of once', async () => {
  await broker.close();
  await daemon.start(configOf(broker.url));
  await eventually(() => daemon.mqtt.status()?.problem?.includes('ECONNREFUSED'));
  expect(daemon.mqtt.status()).toMatchObject({ connected: false });
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await broker.open();
  await daemon.connected();
  expect(daemon.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
  expect(daemon.mqtt.status()?.problem).toBeUndefined();
});

test('actions publish, and triggers hear; what is retained is no news', async () => {
  const heard: string[] = [];
  await broker.send('home/old/ring', 'old', true);
  await connect();
  const end = daemon.mqtt.onMessage('home/+/ring', ({ topic, payload }) => heard.push(`${topic} ${payload}`));
  daemon.mqtt.onMessage('home/#', () => {
    throw new Error('of the receiver');
  });
  await eventually(() => {
    void broker.send('home/bell/ring', 'dring');
    return heard.length > 0;
  });
  daemon.mqtt.publish('home/answer', 'yes', { qos: 1, retain: false });
  await eventually(() => broker.lines.includes('home/answer yes'));
  expect(new Set(heard)).toEqual(new Set(['home/bell/ring dring']));
  expect(daemon.logged.some(({ msg }) => msg === 'mqtt: a receiver of messages failed')).toBe(true);
  end();
  await broker.send('home/bell/ring', 'again');
  await broker.send('house/pi/line/led1/set', 'ON');
  await eventually(() => daemon.service.led === 1);
  expect(heard).not.toContain('home/bell/ring again');
});

test('what cannot be published or listened to is refused at once', async () => {
  expect(() => daemon.mqtt.publish('a', 'b', { qos: 0, retain: false })).toThrow(/no mqtt: in the configuration/);
  await connect();
  expect(() => daemon.mqtt.publish('a/#', 'b', { qos: 0, retain: false })).toThrow(/it has a wildcard/);
  expect(() => daemon.mqtt.publish('a', 'x'.repeat(70_000), { qos: 0, retain: false })).toThrow(/too long/);
  expect(() => daemon.mqtt.onMessage('a/#/b', () => undefined)).toThrow(/# stands for all that follows/);
});

test('when it stops it says so; when it is killed the broker does', async () => {
  await connect();
  await daemon.mqtt.stop();
  expect(broker.got.at(-1)).toMatchObject({ topic: 'house/pi/status', payload: 'offline', retain: true });
  expect(daemon.mqtt.status()).toBeUndefined();
  expect(daemon.service.listeners).toBe(0);
  const other = new TestDaemon();
  await other.start(configOf(broker.url));
  await other.connected();
  broker.cut();
  await eventually(() => broker.lines.filter((line) => line === 'house/pi/status offline').length === 2);
  await other.mqtt.stop();
});

test('a reload that takes a line away takes its state and its part of the device away', async () => {
  await connect();
  broker.got.length = 0;
  const fewer = FAKE_LINES.replace(/ {2}led1.*\n/, '');
  await daemon.mqtt.reconfigure(configOf(broker.url, '', fewer));
  await eventually(() => broker.newest('house/pi/line/led1/state') === '');
  const device = await eventually(() => {
    const all = broker.got.filter(({ topic }) => topic.startsWith('homeassistant/device'));
    return all.length === 2 ? all : undefined;
  });
  const [first, last] = device.map(({ payload }) => JSON.parse(payload).components);
  expect(first.led1).toEqual({ platform: 'switch' });
  expect(last.led1).toBeUndefined();
  expect(Object.keys(last)).toEqual([
    'button1_event',
    'button1_rising',
    'button2',
    'button2_event',
    'button2_rising',
    'button2_falling',
  ]);
  expect(daemon.mqtt.status()).toMatchObject({ reconnects: 0 });
});

test('a line that tells of one edge only has no state, and loses the one that it had: nobody would take it back', async () => {
  await connect();
  daemon.edge('button2', 'rising', 1);
  await eventually(() => broker.newest('house/pi/line/button2/state') === 'ON');
  await daemon.mqtt.reconfigure(configOf(broker.url, '', FAKE_LINES.replace('edge: both', 'edge: rising')));
  await eventually(() => broker.newest('house/pi/line/button2/state') === '');
  broker.got.length = 0;
  daemon.edge('button2', 'rising', 2);
  daemon.edge('button1', 'rising', 1);
  await eventually(() => broker.got.filter(({ topic }) => topic.endsWith('/event')).length === 2);
  expect(broker.got.filter(({ topic, retain }) => retain && topic.includes('/line/'))).toEqual([]);
});

test('what a daemon with another configuration has left is taken away when this one starts', async () => {
  await connect();
  await daemon.mqtt.stop();
  broker.got.length = 0;
  daemon = new TestDaemon();
  await daemon.start(configOf(broker.url, '', FAKE_LINES.replace('button2', 'button3').replace('led1', 'led2')));
  await eventually(() => broker.newest('house/pi/line/led1/state') === '');
  await eventually(() => broker.newest('house/pi/line/button2/state') === '');
  const device = broker.got
    .filter(({ topic }) => topic.startsWith('homeassistant/device'))
    .map(({ payload }) => JSON.parse(payload).components);
  expect(device.some(({ led1 }) => led1?.platform === 'switch' && Object.keys(led1).length === 1)).toBe(true);
  expect(device.at(-1).led1).toBeUndefined();
  expect(device.at(-1).led2).toBeDefined();
});

test('a reload with another base topic leaves nothing under the old one', async () => {
  await connect();
  broker.got.length = 0;
  const config = configOf(broker.url);
  const mqtt = config.mqtt === undefined ? undefined : { ...config.mqtt, baseTopic: 'house/attic' };
  await daemon.mqtt.reconfigure({ ...config, mqtt });
  await daemon.connected();
  const gone = broker.got.filter(({ payload }) => payload === '').map(({ topic }) => topic);
  expect(gone.sort()).toEqual([
    'homeassistant/device/house_pi/config',
    'house/pi/line/button2/state',
    'house/pi/line/led1/state',
    'house/pi/status',
  ]);
  await eventually(() => broker.newest('house/attic/status') === 'online');
  await daemon.mqtt.reconfigure({ ...config, mqtt: undefined });
  expect(daemon.mqtt.status()).toBeUndefined();
  expect(broker.newest('house/attic/status')).toBe('');
});

test('a stop that comes while a reload changes the broker ends all, and no other session begins', async () => {
  await connect();
  broker.got.length = 0;
  const other = configOf(broker.url, 'keepalive: 30s');
  const reloaded = daemon.mqtt.reconfigure(other);
  await daemon.mqtt.stop();
  await reloaded;
  await daemon.mqtt.reconfigure(configOf(broker.url, 'keepalive: 40s'));
  expect(daemon.mqtt.status()).toBeUndefined();
  expect(broker.lines.filter((line) => line.startsWith('house/pi/status'))).toEqual(['house/pi/status offline']);
  expect(daemon.service.listeners).toBe(0);
});

test('what is published before the session has begun is sent by it; of more than may wait it is told how many', async () => {
  const config = configOf(broker.url, 'queue_max: 5000');
  const started = daemon.start(config);
  for (let i = 1; i <= 1200; i++) daemon.mqtt.publish('home/early', `${i}`, { qos: 1, retain: false });
  daemon.mqtt.publish('home/state', 'old', { qos: 1, retain: true });
  daemon.mqtt.publish('home/state', 'new', { qos: 1, retain: true });
  await started;
  await eventually(() => broker.lines.includes('home/early 1200') && broker.lines.includes('home/state new'));
  const early = broker.got.filter(({ topic }) => topic === 'home/early').map(({ payload }) => Number(payload));
  expect(early).toEqual(Array.from({ length: 1000 }, (_, i) => i + 201));
  expect(broker.lines).not.toContain('home/state old');
  const told = daemon.news.flatMap((news) => (news.phase === 'dropped' ? news.count : []));
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(200);
});

test('over a WebSocket it is the same', async () => {
  const aedes = await Aedes.createBroker({});
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
  server.on('connection', (socket) => aedes.handle(createWebSocketStream(socket)));
  await once(server, 'listening');
  const address = server.address();
  try {
    await daemon.start(configOf(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mqtt`));
    await daemon.connected();
    await daemon.mqtt.stop();
  } finally {
    server.close();
    aedes.close();
  }
});

test('Home Assistant is told again of everything when it has come up', async () => {
  await connect();
  broker.got.length = 0;
  await broker.send('homeassistant/status', 'online');
  await eventually(() => broker.got.length === 5);
  expect(broker.newest('homeassistant/device/house_pi/config')).toContain('components');
  expect(broker.newest('house/pi/status')).toBe('online');
  expect(broker.newest('house/pi/line/led1/state')).toBe('OFF');
});

test('after edges were lost, or lines came back, the states are read anew', async () => {
  await connect();
  daemon.service.led = 1;
  daemon.service.emit({ type: 'chip', atNs: 1, phase: 'back', name: 'gpiochip0' });
  await eventually(() => broker.newest('house/pi/line/led1/state') === 'ON');
});
