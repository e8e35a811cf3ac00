// The connection to the broker: made again whenever it breaks, never ahead of what the broker confirms.

import type { IClientOptions, IConnackPacket, MqttClient } from 'mqtt';
import { TokenBucket } from '../token-bucket.js';
import { Backoff } from './backoff.js';
import { MAX_PAYLOAD_BYTES, type Message, type Qos } from './message.js';
import type { Outbox } from './outbox.js';
import { MAX_PACKET_BYTES } from './packet-guard.js';
import type { BrokerAddress, OpenStream } from './stream.js';

/** Version of the protocol: 5, or 4 for what is called 3.1.1. */
export type ProtocolVersion = 4 | 5;

/** Whom to connect to, and as whom. */
export interface BrokerSettings {
  readonly address: BrokerAddress;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** `auto` begins with 5 and goes back to 4 when the broker does not know it. */
  readonly version: ProtocolVersion | 'auto';
  /** How long the broker keeps the session of a connection that broke, in s; 0 for not at all, `undefined` for the default. */
  readonly sessionS: number | undefined;
  readonly keepaliveS: number;
  /** What the broker tells in the daemon's place when the connection breaks. */
  readonly will: Message;
}

/** What the client tells. */
export interface BrokerSink {
  /** Connected: what the broker does not keep is to be told anew. */
  onUp(version: ProtocolVersion): void;
  /** No connection any more, or again none: why. */
  onDown(reason: string): void;
  onMessage(topic: string, payload: Buffer, retained: boolean): void;
  /** The broker would not take a message, or a subscription. */
  onRefused(what: string, reason: string): void;
}

/** What surrounds the client; tests put their own here. */
export interface BrokerSurroundings {
  /** Of `mqtt.js`. */
  readonly Client: typeof MqttClient;
  readonly open: OpenStream;
  /** Numbers from 0 to 1 for the waits. */
  readonly random: () => number;
  /** A clock that only goes forward. */
  readonly nowMs: () => number;
}

/** Messages that may be on their way at once: their memory is the broker's to hold up. */
const WINDOW = 16;
/** Messages that are handed to the socket in one turn of the event loop. */
const SENDS_PER_TURN = 64;
/** Messages from the broker that are handled in one turn of the event loop. */
const MESSAGES_PER_TURN = 32;
/** Messages from the broker a second; what is beyond is left out and counted. */
const MESSAGES_PER_SECOND = 1000;
/** The broker must answer a connection within this. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that lasted as long begins the waits anew: two clients with one name do not throw each other out in a loop. */
const STEADY_MS = 10_000;
/** A version that the broker does not know is tried no second time, and another at once. */
const OTHER_VERSION_MS = 100;
const WAITS = { firstMs: 1000, maxMs: 60_000 };
/** How long a broker of version 5 keeps the session when nothing else is said, in s. */
const SESSION_S = 300;
/** Refusals of version 5 by brokers that know it not (1), or know it only by name (132). */
const BAD_VERSION: readonly unknown[] = [1, 132];

/** A client of a broker, over one `mqtt.js` client for all its connections: what was not confirmed is sent again by it. */
export class BrokerClient {
  /** Messages that the broker has taken. */
  published = 0;
  /** Messages that the broker has refused. */
  refused = 0;
  received = 0;
  /** Connections after the first. */
  reconnects = 0;
  readonly #outbox: Outbox;
  readonly #sink: BrokerSink;
  readonly #client: MqttClient;
  readonly #backoff: Backoff;
  readonly #flood = new TokenBucket({ rate: MESSAGES_PER_SECOND, perNs: 1e9 });
  readonly #nowMs: () => number;
  readonly #settings: BrokerSettings;
  #version: ProtocolVersion;
  #up = false;
  #everUp = false;
  #ended = false;
  /** The next connection is made by another version: that this one ends is no news. */
  #switching = false;
  #window = WINDOW;
  /** Messages on their way. */
  readonly #flying = new Set<Message>();
  /** Identifiers of those that were sent once. */
  readonly #sent = new Set<number>();
  #sending = false;
  #sendingLater = false;
  #handled = 0;
  #fault: string | undefined;
  #steady: NodeJS.Timeout | undefined;
  /** Called when nothing waits and nothing is on its way. */
  #onIdle: () => void = () => undefined;

  constructor(settings: BrokerSettings, outbox: Outbox, sink: BrokerSink, around: BrokerSurroundings) {
    this.#settings = settings;
    this.#outbox = outbox;
    this.#sink = sink;
    this.#nowMs = around.nowMs;
    this.#backoff = new Backoff(WAITS, around.random);
    this.#version = settings.version === 'auto' ? 5 : settings.version;
    const { address, clientId, username, password } = settings;
    this.#client = new around.Client(() => around.open(address), {
      clientId,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...this.#versioned(),
      keepalive: settings.keepaliveS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: this.#backoff.next(),
      reconnectOnConnackError: true,
      // Subscriptions are made at each connection, by whoever is told of it.
      resubscribe: false,
      // What waits, waits in the outbox.
      queueQoSZero: false,
      manualConnect: true,
      timerVariant: 'native',
    });
    this.#listen();
    this.#client.connect();
  }

  /** Connected now. */
  get up(): boolean {
    return this.#up;
  }

  get version(): ProtocolVersion {
    return this.#version;
  }

  /** Messages that were sent and are not confirmed. */
  get flying(): number {
    return this.#flying.size;
  }

  /** Messages that were left out because more came than are handled. */
  get flooded(): number {
    return this.#flood.refused;
  }

  /** Sends what waits in the outbox, as much as the broker keeps up with. To be called whenever something was put there. */
  send(): void {
    // Who is told that a message is gone, which may be at once, calls again.
    if (this.#sending) return;
    this.#sending = true;
    let room = SENDS_PER_TURN;
    while (this.#up && this.#flying.size < this.#window && room-- > 0) {
      const message = this.#outbox.take();
      if (message === undefined) break;
      this.#publish(message);
    }
    this.#sending = false;
    if (room < 0) this.#sendLater();
    if (this.#flying.size === 0 && this.#outbox.length === 0) this.#onIdle();
  }

  /**
   * Asks for the messages of a filter; to be done at each connection.
   *
   * @param retained those that the broker has kept, too; version 3.1.1 sends them in any case
   */
  subscribe(filter: string, qos: Qos = 1, { retained = false } = {}): void {
    const options = this.#version === 5 ? { qos, rh: retained ? 0 : 2 } : { qos };
    this.#client.subscribe(filter, options, (error, granted) => {
      const refused = granted?.some((one) => (one.qos as number) >= 128) === true;
      if (this.#ended || !this.#up || (error === null && !refused)) return;
      this.#sink.onRefused(`a subscription to ${filter}`, error?.message ?? 'it is not allowed');
    });
  }

  unsubscribe(filter: string): void {
    if (this.#up) this.#client.unsubscribe(filter, () => undefined);
  }

  /**
   * Sends what waits and ends the connection, and the session with it.
   *
   * @param limitMs how long that may take; after it the connection is cut, and the broker tells the will
   * @returns messages that were not confirmed
   */
  async end(limitMs: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    try {
      if (this.#up) await Promise.race([this.#idle(), tooLong]);
      const left = this.#outbox.length + this.#flying.size;
      this.#ended = true;
      this.#client.options.reconnectPeriod = 0;
      const gone = this.#disconnect(left === 0 && this.#up);
      await Promise.race([gone, tooLong]);
      this.#client.end(true);
      this.#client.stream.destroy();
      return left;
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#steady);
    }
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.send();
    });
  }

  #disconnect(politely: boolean): Promise<void> {
    const properties = { sessionExpiryInterval: 0 };
    return new Promise((resolve) => {
      this.#client.end(!politely, this.#version === 5 ? { reasonCode: 0, properties } : {}, () => resolve());
    });
  }

  /** What differs between the versions. */
  #versioned(): IClientOptions {
    const { sessionS, will } = this.#settings;
    const payload = Buffer.from(will.payload);
    const last = { topic: will.topic, payload, qos: will.qos, retain: will.retain };
    // Version 3.1.1 has no end to a session: it is kept only where that was asked for.
    if (this.#version === 4) return { protocolVersion: 4, clean: (sessionS ?? 0) === 0, will: last };
    const sessionExpiryInterval = sessionS ?? SESSION_S;
    return {
      protocolVersion: 5,
      clean: sessionExpiryInterval === 0,
      will: last,
      properties: { sessionExpiryInterval, maximumPacketSize: MAX_PACKET_BYTES },
    };
  }

  #listen(): void {
    const client = this.#client;
    client.on('connect', (connack) => this.#connected(connack));
    client.on('close', () => this.#closed());
    client.on('error', (error) => this.#failed(error));
    client.on('disconnect', ({ reasonCode = 0 }) => {
      this.#fault = farewell(reasonCode);
    });
    client.on('reconnect', () => {
      client.options.reconnectPeriod = this.#backoff.next();
    });
    client.on('packetsend', (packet) => {
      if (packet.cmd !== 'publish' || packet.messageId === undefined || packet.qos === 0) return;
      // What is sent again says so; the library leaves that to whoever reads this.
      packet.dup = this.#sent.has(packet.messageId);
      this.#sent.add(packet.messageId);
    });
    client.on('message', (topic, payload, { retain }) => {
      this.received++;
      if (!this.#ended && this.#flood.take(this.#nowMs() * 1e6)) this.#sink.onMessage(topic, payload, retain === true);
    });
    client.handleMessage = (_packet, done) => {
      if (++this.#handled % MESSAGES_PER_TURN === 0) setImmediate(done);
      else done();
    };
  }

  #connected({ properties }: IConnackPacket): void {
    this.#window = Math.min(WINDOW, properties?.receiveMaximum ?? WINDOW);
    this.#up = true;
    if (this.#everUp) this.reconnects++;
    this.#everUp = true;
    this.#fault = undefined;
    this.#steady = setTimeout(() => {
      this.#backoff.reset();
      this.#client.options.reconnectPeriod = this.#backoff.next();
    }, STEADY_MS).unref();
    this.#sink.onUp(this.#version);
    this.send();
  }

  #closed(): void {
    clearTimeout(this.#steady);
    this.#up = false;
    // These are sent at most once, and were.
    for (const message of this.#flying) if (message.qos === 0) this.#flying.delete(message);
    const reason = this.#fault ?? 'the broker closed the connection';
    this.#fault = undefined;
    const isAsked = this.#ended || this.#switching;
    this.#switching = false;
    if (!isAsked) this.#sink.onDown(reason);
  }

  #failed(error: Error & { code?: unknown }): void {
    this.#fault = error.message === '' ? String(error.code) : error.message;
    if (this.#settings.version === 'auto' && this.#version === 5 && BAD_VERSION.includes(error.code)) {
      this.#version = 4;
      this.#switching = true;
      Object.assign(this.#client.options, { properties: undefined, ...this.#versioned() });
      this.#client.options.reconnectPeriod = OTHER_VERSION_MS;
    }
    // What cannot be read is an error too, and leaves the connection open.
    if (!this.#client.stream.destroyed) this.#client.stream.destroy();
  }

  #publish(message: Message): void {
    const { topic, payload, qos, retain } = message;
    this.#flying.add(message);
    this.#client.publish(topic, payload, { qos, retain }, (error, answer) => {
      this.#flying.delete(message);
      if (answer?.messageId !== undefined) this.#sent.delete(answer.messageId);
      if (error === undefined || error === null) this.published++;
      else this.#notTaken(message, error);
      this.send();
    });
  }

  #notTaken({ topic, qos }: Message, error: Error): void {
    if (this.#ended || (qos === 0 && !this.#up)) return;
    this.refused++;
    this.#sink.onRefused(`a message to ${topic}`, error.message);
  }

  #sendLater(): void {
    if (this.#sendingLater) return;
    this.#sendingLater = true;
    setImmediate(() => {
      this.#sendingLater = false;
      this.send();
    });
  }
}

/** Why the broker ended the connection, by the reason codes of version 5. */
function farewell(code: number): string {
  if (code === 142) return 'another client has connected with the same client_id';
  if (code === 139) return 'the broker is shutting down';
  return `the broker ended the connection (reason ${code})`;
}

/** Most bytes that are on their way at once. */
export const MAX_FLYING_BYTES = WINDOW * MAX_PAYLOAD_BYTES;
