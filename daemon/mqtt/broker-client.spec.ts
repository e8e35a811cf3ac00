import { createServer, type Server, type Socket } from 'node:net';
import mqtt from 'mqtt';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterEach, expect, test } from 'vitest';
import { eventually } from './broker.spec-helper.js';
import { BrokerClient, type BrokerSink } from './broker-client.js';
import type { Message } from './message.js';
import { Outbox } from './outbox.js';
import { loadStreams } from './stream.js';

/** A broker that says and reads what the test wants. */
class WilfulBroker {
  readonly packets: Packet[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  port = 0;

  constructor(onPacket: (packet: Packet, socket: Socket, connection: number) => void) {
    this.#server = createServer((socket) => {
      const connection = this.sockets.push(socket);
      const parser = mqttPacket.parser();
      parser.on('packet', (packet) => {
        this.packets.push(packet);
        onPacket(packet, socket, connection);
      });
      parser.on('error', () => socket.destroy());
      socket.on('data', (chunk) => parser.parse(chunk));
      socket.on('error', () => undefined);
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

const V5 = { protocolVersion: 5 };
const welcome = mqttPacket.generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, V5);
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

interface Rig {
  readonly broker: WilfulBroker;
  readonly client: BrokerClient;
  readonly outbox: Outbox;
  readonly down: string[];
  readonly messages: string[];
  readonly refused: string[];
}

async function rig(
  onPacket: (packet: Packet, socket: Socket, connection: number) => void,
  version: 4 | 5 | 'auto' = 5,
  nowMs: () => number = () => performance.now(),
): Promise<Rig> {
  const broker = new WilfulBroker(onPacket);
  await broker.open();
  const outbox = new Outbox({ events: 1000, states: 100, bytes: 1e7 }, () => {});
  const down: string[] = [];
  const messages: string[] = [];
  const refused: string[] = [];
  const sink: BrokerSink = {
    onUp: () => undefined,
    onDown: (reason) => down.push(reason),
    onMessage: (topic) => messages.push(topic),
    onRefused: (what, reason) => refused.push(`${what}: ${reason}`),
  };
  const settings = {
    address: { protocol: 'mqtt', host: '127.0.0.1', port: broker.port, path: '/', tls: {} } as const,
    clientId: 'test',
    username: undefined,
    password: undefined,
    version,
    sessionS: undefined,
    keepaliveS: 60,
    will: { topic: 'status', payload: 'offline', qos: 1, retain: true } as const,
  };
  const open = await loadStreams(settings.address);
  const around = { Client: mqtt.MqttClient, open, random: () => 0, nowMs };
  const client = new BrokerClient(settings, outbox, sink, around);
  ending.push(
    () => client.end(100),
    () => broker.close(),
  );
  return { broker, client, outbox, down, messages, refused };
}

function event(payload: string, qos: 0 | 1 = 1): Message {
  return { topic: 't', payload, qos, retain: false };
}

test('it goes back to version 3.1.1 with a broker that does not know 5, and says nothing of it', async () => {
  const { broker, client, down } = await rig((packet, socket) => {
    if (packet.cmd !== 'connect') return;
    const returnCode = packet.protocolVersion === 5 ? 1 : 0;
    socket.end(mqttPacket.generate({ cmd: 'connack', returnCode, sessionPresent: false }));
    if (returnCode === 0) socket.cork();
  }, 'auto');
  await eventually(() => broker.packets.length >= 2);
  expect(broker.packets[1]).toMatchObject({
    cmd: 'connect',
    protocolVersion: 4,
    clean: true,
    will: { topic: 'status' },
  });
  expect(client.version).toBe(4);
  expect(down.filter((reason) => reason.includes('version'))).toEqual([]);
});

test('with version 5 the session outlives the connection for a while, and packets are limited', async () => {
  const { broker } = await rig((packet, socket) => void (packet.cmd === 'connect' && socket.write(welcome)));
  await eventually(() => broker.packets.length > 0);
  expect(broker.packets[0]).toMatchObject({
    protocolVersion: 5,
    clean: false,
    properties: { sessionExpiryInterval: 300, maximumPacketSize: 131_072 },
  });
});

test('no more messages are on their way than the broker confirms', async () => {
  const { broker, client, outbox } = await rig((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(welcome);
  });
  for (let i = 0; i < 100; i++) outbox.event(event(`${i}`));
  await eventually(() => client.up);
  client.send();
  await eventually(() => broker.packets.length > 16);
  expect(client.flying).toBe(16);
  expect(outbox.length).toBe(84);
  for (const { cmd, messageId } of broker.packets.slice(1)) {
    expect(cmd).toBe('publish');
    if (messageId !== undefined) broker.sockets[0]?.write(mqttPacket.generate({ cmd: 'puback', messageId }));
  }
  await eventually(() => broker.packets.length === 33);
  expect(client).toMatchObject({ flying: 16, published: 16 });
});

test('a broker that takes fewer at once is sent fewer', async () => {
  const few = mqttPacket.generate(
    { cmd: 'connack', reasonCode: 0, sessionPresent: false, properties: { receiveMaximum: 3 } },
    V5,
  );
  const { client, outbox } = await rig((packet, socket) => void (packet.cmd === 'connect' && socket.write(few)));
  for (let i = 0; i < 10; i++) outbox.event(event(`${i}`));
  await eventually(() => client.flying === 3);
});

test('what was not confirmed when the connection broke is sent again', async () => {
  const { broker, client, outbox } = await rig((packet, socket, connection) => {
    if (packet.cmd === 'connect') socket.write(welcome);
    if (packet.cmd !== 'publish') return;
    if (connection === 1) socket.destroy();
    else socket.write(mqttPacket.generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
  });
  outbox.event(event('once or more'));
  await eventually(() => client.published === 1);
  const sent = broker.packets.filter(({ cmd }) => cmd === 'publish');
  expect(sent).toMatchObject([
    { dup: false, messageId: sent[1]?.messageId },
    { dup: true, payload: Buffer.from('once or more') },
  ]);
  expect(client.reconnects).toBe(1);
});

test('a message that the broker does not allow is told of, and holds nothing up', async () => {
  const { broker, client, outbox, refused } = await rig((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(welcome);
    if (packet.cmd !== 'publish') return;
    const reasonCode = packet.payload.toString() === 'forbidden' ? 135 : 0;
    socket.write(mqttPacket.generate({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode }, V5));
  });
  outbox.event(event('forbidden'));
  outbox.event(event('allowed'));
  await eventually(() => client.published === 1);
  expect(client).toMatchObject({ refused: 1, flying: 0 });
  expect(refused).toEqual([expect.stringContaining('a message to t: ')]);
  expect(broker.sockets).toHaveLength(1);
});

test('a packet that is too long ends the connection before it is read', async () => {
  const { client, down } = await rig((packet, socket, connection) => {
    if (packet.cmd === 'connect') socket.write(welcome);
    // 256 MB are announced; a few bytes are enough.
    if (packet.cmd === 'connect' && connection === 1) socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1]));
  });
  await eventually(() => down.length === 1);
  expect(down).toEqual(['a packet of the broker is too long']);
  await eventually(() => client.up);
});

test.each([
  [142, 'another client has connected with the same client_id'],
  [139, 'the broker is shutting down'],
  [152, 'the broker ended the connection (reason 152)'],
])('when the broker ends the connection, its reason %i is told', async (reasonCode, reason) => {
  const { client, down } = await rig((packet, socket, connection) => {
    if (packet.cmd === 'connect') socket.write(welcome);
    if (connection === 1) socket.end(mqttPacket.generate({ cmd: 'disconnect', reasonCode }, V5));
  });
  await eventually(() => client.reconnects === 1);
  expect(down).toEqual([reason]);
});

test('a broker that talks nonsense is left, and tried again later', async () => {
  const { broker, client, down } = await rig((packet, socket, connection) => {
    if (packet.cmd === 'connect') socket.write(connection === 1 ? 'HTTP/1.1 400 Bad Request\r\n\r\n' : welcome);
  });
  await eventually(() => client.up);
  expect(down).toHaveLength(1);
  expect(broker.sockets).toHaveLength(2);
});

test('a broker that says nothing holds no memory but the outbox, and an end does not wait for it', async () => {
  const { client, outbox } = await rig(() => undefined);
  for (let i = 0; i < 5000; i++) outbox.event(event('x'.repeat(1000)));
  client.send();
  expect(outbox).toMatchObject({ length: 1000, dropped: 4000 });
  expect(client.flying).toBe(0);
  // Were the broker waited for, this would not be over before the time of the test is.
  expect(await client.end(200)).toBe(1000);
});

test('a broker that stops reading is sent no more than it takes', async () => {
  const { broker, client, outbox } = await rig((packet, socket) => {
    if (packet.cmd === 'connect') socket.write(welcome);
    if (packet.cmd === 'publish') socket.pause();
  });
  await eventually(() => client.up);
  for (let i = 0; i < 3000; i++) outbox.event(event('x'.repeat(60_000), 0));
  client.send();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(client.flying).toBeLessThanOrEqual(16);
  expect(outbox.length + client.flying + client.published + outbox.dropped).toBe(3000);
  broker.sockets[0]?.destroy();
  // What is sent at most once is not sent again.
  await eventually(() => client.reconnects === 1);
});

test('a broker that floods does not stop the event loop, and most of the flood is left out', async () => {
  const one = mqttPacket.generate(
    { cmd: 'publish', topic: 'flood', payload: 'x', qos: 0, retain: false, dup: false },
    V5,
  );
  const many = Buffer.concat(Array.from({ length: 5000 }, () => one));
  const { broker, client, messages } = await rig(
    (packet, socket) => void (packet.cmd === 'connect' && socket.write(welcome)),
    5,
    () => 0,
  );
  await eventually(() => client.up);
  let inOneTurn = 0;
  let before = 0;
  const turn = (): void => {
    inOneTurn = Math.max(inOneTurn, client.received - before);
    before = client.received;
    if (before < 50_000) setImmediate(turn);
  };
  turn();
  for (let i = 0; i < 10; i++) broker.sockets[0]?.write(many);
  await eventually(() => before === 50_000);
  // In this moment, which never ends.
  expect(messages).toHaveLength(1_000);
  expect(client.flooded).toBe(49_000);
  expect(inOneTurn).toBeLessThanOrEqual(64);
});
