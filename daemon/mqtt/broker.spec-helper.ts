// A broker within the test, which remembers what it was sent, can be away for a while, and the daemon's side of it.

import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { type Logger, pino } from 'pino';
import type { Config } from '../config/config.js';
import { parseConfig } from '../config/load.js';
import { FakeService } from '../control/fake-service.spec-helper.js';
import { freePort } from '../free-port.spec-helper.js';
import { Mqtt } from './mqtt.js';
import type { MqttNews } from './port.js';

/** A message as the broker got it. */
export interface Got {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
}

/** Resolves once `check` does not throw or give false any more; rejects with what it threw last. */
export async function eventually<T>(check: () => T | Promise<T>, ms = 20_000): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      const value = await check();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      if (performance.now() > end) throw new Error(`still ${String(value)} after ${ms} ms: ${check}`);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A broker of version 3.1.1. */
export class TestBroker {
  readonly got: Got[] = [];
  port = 0;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Topics and payloads, without what brokers tell of themselves. */
  get lines(): string[] {
    return this.got.map(({ topic, payload }) => `${topic} ${payload}`);
  }

  /** Begins, at the port of the last time; nothing is retained from then. */
  async open(): Promise<void> {
    const aedes = await Aedes.createBroker({});
    aedes.on('publish', ({ topic, payload, retain, qos }) => {
      if (!topic.startsWith('$SYS')) this.got.push({ topic, payload: payload.toString(), retain, qos });
    });
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      aedes.handle(socket);
    });
    if (this.port === 0) this.port = await freePort();
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.#aedes = aedes;
    this.#server = server;
  }

  /** Ends without a word. */
  async close(): Promise<void> {
    const server = this.#server;
    const aedes = this.#aedes;
    this.#server = undefined;
    this.#aedes = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
    if (aedes !== undefined) await new Promise<void>((resolve) => aedes.close(() => resolve()));
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends a message to whoever has subscribed. */
  send(topic: string, payload: string | Buffer, retain = false): Promise<void> {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain, dup: false } as const;
    return new Promise((resolve, reject) => {
      if (this.#aedes === undefined) reject(new Error('the broker is away'));
      this.#aedes?.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The newest payload of a topic. */
  newest(topic: string): string | undefined {
    return this.got.findLast((one) => one.topic === topic)?.payload;
  }
}

/** The configuration of a text; the lines of {@link FakeService} unless others are given. */
export function configOf(url: string, more = '', lines = FAKE_LINES): Config {
  const mqtt = `mqtt: { url: '${url}', base_topic: house/pi, client_id: pi${more === '' ? '' : `, ${more}`} }\n`;
  const result = parseConfig(`${lines}${mqtt}`, '/etc/gpio-irqd/config.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.config;
}

export const FAKE_LINES = `lines:
  button1: { gpio: 17, edge: rising }
  button2: { gpio: 18, edge: both }
  led1: { gpio: 4, direction: out }
`;

/** MQTT over a service without driver. */
export class TestDaemon {
  readonly service = new FakeService();
  readonly logged: { level: string; msg: string }[] = [];
  readonly news: MqttNews[] = [];
  #mqtt: Mqtt | undefined;
  readonly #log: Logger;

  constructor() {
    const write = (line: string): void => void this.logged.push(JSON.parse(line));
    this.#log = pino({ base: null, formatters: { level: (level) => ({ level }) } }, { write });
  }

  /** That of {@link start}; before it, one without a broker. */
  get mqtt(): Mqtt {
    this.#mqtt ??= this.#create({ ...configOf('mqtt://localhost'), mqtt: undefined });
    return this.#mqtt;
  }

  #create(config: Config): Mqtt {
    // Waits are as short as they come.
    const options = { log: this.#log, configPath: '/etc/gpio-irqd/config.yaml', host: 'pi', random: () => 0 };
    const mqtt = new Mqtt({ ...options, config });
    mqtt.onNews((news) => this.news.push(news));
    return mqtt;
  }

  async start(config: Config): Promise<void> {
    this.#mqtt = this.#create(config);
    await this.#mqtt.start(this.service, config);
  }

  /** An edge of a line, as the service tells of it. */
  edge(line: string, edge: 'rising' | 'falling', lineSeqno: number): void {
    this.service.emit({ type: 'edge', atNs: Number(process.hrtime.bigint()), line, edge, lineSeqno });
  }

  async connected(): Promise<void> {
    await eventually(() => this.mqtt.status()?.connected === true && this.mqtt.status()?.queued === 0);
  }
}
