// The daemon at one broker: what it tells there, and what it takes from there, until its section of the configuration changes.

import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { Bursts } from '../bridge/bursts.js';
import type { Config } from '../config/config.js';
import type { MqttSpec } from '../config/sections/mqtt.js';
import type { ControlTarget } from '../control/target.js';
import { TokenBucket } from '../token-bucket.js';
import { BrokerClient, type BrokerSettings, type BrokerSurroundings, type ProtocolVersion } from './broker-client.js';
import { Commands } from './commands.js';
import { type Components, type DeviceDetails, Discovery, isFollowed } from './discovery.js';
import { componentsIn, goneFrom, isLeftover, stateFilter, stateRemoval } from './leftovers.js';
import { checkMessage, type Message } from './message.js';
import { Outbox } from './outbox.js';
import type { MqttNews, MqttStatus } from './port.js';
import { shownAddress } from './settings.js';
import { Teller } from './teller.js';
import type { Topics } from './topics.js';

/** What a session needs. */
export interface SessionSurroundings {
  readonly target: ControlTarget;
  readonly spec: MqttSpec;
  readonly settings: BrokerSettings;
  readonly topics: Topics;
  readonly details: DeviceDetails;
  readonly log: Logger;
  readonly broker: BrokerSurroundings;
  /** Filters of the triggers. */
  readonly filters: () => Iterable<string>;
  /** Told of each message that is none of the session's own. */
  readonly onMessage: (topic: string, payload: Buffer) => void;
  readonly onNews: (news: MqttNews) => void;
}

/** Bytes that may wait for the broker, whatever `queue_max` says. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Topics whose state may wait: the lines', and what actions publish with `retain`. */
const MAX_STATES = 2048;
/** What an older configuration has left is looked for as long after a connection, in ms. */
const LEFTOVERS_MS = 5_000;
/** Home Assistant asks all its devices at once when it starts: they answer within so many ms. */
const BIRTH_SPREAD_MS = 1_000;
/** Refusals of the broker's that are told a second; all are counted. */
const REFUSALS_PER_SECOND = 2;

/** One broker, from the first try to reach it to a clean end. */
export class Session {
  readonly #around: SessionSurroundings;
  readonly #log: Logger;
  readonly #outbox: Outbox;
  readonly #drops = new Bursts((_, count) => this.#tellDropped(count));
  readonly #refusals = new TokenBucket({ rate: REFUSALS_PER_SECOND, perNs: 1e9 });
  readonly #teller: Teller;
  readonly #commands: Commands;
  readonly #discovery: Discovery | undefined;
  readonly #client: BrokerClient;
  readonly #timers = new Set<NodeJS.Timeout>();
  #config: Config;
  #components: Components = {};
  #problem: string | undefined;
  #downSinceMs: number;
  #refusedSubscriptions = 0;
  #lookedForLeftovers = false;

  constructor(config: Config, around: SessionSurroundings) {
    const { spec, settings, topics, target, broker } = around;
    this.#around = around;
    this.#log = around.log;
    this.#config = config;
    this.#downSinceMs = broker.nowMs();
    const limits = { events: spec.queueMax, states: MAX_STATES, bytes: MAX_QUEUED_BYTES };
    this.#outbox = new Outbox(limits, () => this.#drops.add('dropped', 1));
    const { discovery } = spec;
    if (discovery !== undefined) this.#discovery = new Discovery(discovery, spec, topics, around.details);
    const tell = (message: Message): void => this.publish(message);
    this.#commands = new Commands({ target, topics, log: around.log, tell, nowMs: broker.nowMs });
    const sink = {
      onUp: (version: ProtocolVersion) => this.#onUp(version),
      onDown: (reason: string) => this.#onDown(reason),
      onMessage: (topic: string, payload: Buffer, retained: boolean) => this.#onMessage(topic, payload, retained),
      onRefused: (what: string, reason: string) => this.#onRefused(what, reason),
    };
    this.#client = new BrokerClient(settings, this.#outbox, sink, broker);
    this.#teller = new Teller(config, {
      ...{ target, topics, qos: spec.qos, outbox: this.#outbox },
      onMore: () => this.#client.send(),
      onOverrun: (count) => this.#drops.add('dropped', count),
    });
  }

  get spec(): MqttSpec {
    return this.#around.spec;
  }

  /** Takes over a configuration whose section is the same, but for the lines. */
  configure(config: Config): void {
    const before = this.#followed();
    this.#config = config;
    this.#teller.configure(config);
    const now = this.#followed();
    for (const topic of before) if (!now.has(topic)) this.#outbox.state(stateRemoval(topic));
    if (this.#discovery !== undefined) this.#announce(this.#discovery, this.#components);
    this.#teller.states();
  }

  /** @throws KernelError as {@link checkMessage} does */
  publish(message: Message): void {
    checkMessage(message);
    if (message.retain) this.#outbox.state(message);
    else this.#outbox.event(message);
    this.#client.send();
  }

  subscribe(filter: string): void {
    if (this.#client.up) this.#client.subscribe(filter);
  }

  unsubscribe(filter: string): void {
    this.#client.unsubscribe(filter);
  }

  status(): MqttStatus {
    const { spec, topics, settings } = this.#around;
    const client = this.#client;
    return {
      broker: shownAddress(spec),
      connected: client.up,
      ...(client.version === undefined ? {} : { version: client.version === 5 ? '5' : '3.1.1' }),
      clientId: settings.clientId,
      baseTopic: topics.base,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      queued: this.#outbox.length,
      unconfirmed: client.flying,
      published: client.published,
      dropped: this.#outbox.dropped + this.#teller.overrun,
      superseded: this.#outbox.superseded,
      refused: client.refused + this.#refusedSubscriptions,
      received: client.received,
      flooded: client.flooded,
      commands: this.#commands.done,
      commandsRefused: this.#commands.refused,
      reconnects: client.reconnects,
    };
  }

  /**
   * Tells that the daemon is gone, and ends.
   *
   * @param forget takes everything that is retained away first: nobody will be here under these names again
   */
  async end(limitMs: number, forget: boolean): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#teller.close();
    // Without a connection the broker has told the will already.
    if (this.#client.up) this.#leave(forget);
    const left = await this.#client.end(limitMs);
    this.#drops.flush();
    if (left > 0)
      this.#log.warn({ count: left }, `mqtt: stopped with ${messages(left)} that the broker has not confirmed`);
  }

  #leave(forget: boolean): void {
    const { topics } = this.#around;
    if (forget) {
      for (const topic of this.#followed()) this.#outbox.state(stateRemoval(topic));
      if (this.#discovery !== undefined) this.#outbox.state(this.#discovery.removal());
    }
    const payload = forget ? '' : 'offline';
    this.#outbox.state({ topic: topics.availability, payload, qos: 1, retain: true });
  }

  #onUp(version: ProtocolVersion): void {
    const { spec, broker, topics, filters, onNews } = this.#around;
    const address = shownAddress(spec);
    const { length: queued } = this.#outbox;
    const after = Math.round((broker.nowMs() - this.#downSinceMs) / 1000);
    const waited = queued === 0 ? '' : `; ${messages(queued)} waited`;
    this.#log.info({ broker: address, version, queued }, `mqtt: connected to ${address} after ${after} s${waited}`);
    this.#problem = undefined;
    onNews({ phase: 'connected', broker: address });
    if (spec.commands) this.#client.subscribe(topics.anyCommand);
    if (this.#discovery !== undefined) this.#client.subscribe(this.#discovery.birthTopic);
    for (const filter of filters()) this.#client.subscribe(filter);
    this.#lookForLeftovers();
    if (this.#discovery !== undefined) this.#announce(this.#discovery, {});
    this.#outbox.state({ topic: topics.availability, payload: 'online', qos: 1, retain: true });
    this.#teller.states();
  }

  #onDown(reason: string): void {
    if (this.#problem === reason) return;
    const first = this.#problem === undefined;
    this.#problem = reason;
    const address = shownAddress(this.#around.spec);
    this.#log.warn({ broker: address }, `mqtt: no connection to ${address}: ${reason}; it is tried again and again`);
    if (!first) return;
    this.#downSinceMs = this.#around.broker.nowMs();
    this.#around.onNews({ phase: 'disconnected', reason });
  }

  #onMessage(topic: string, payload: Buffer, retained: boolean): void {
    if (topic === this.#discovery?.birthTopic) {
      if (!retained && payload.toString('latin1') === 'online') this.#answerBirth();
    } else if (topic === this.#discovery?.topic) {
      // What is not retained is what was published just now.
      if (retained) this.#meetOlder(this.#discovery, payload);
    } else if (retained && isLeftover(topic, payload, this.#around.topics, this.#followed())) {
      this.#outbox.state(stateRemoval(topic));
      this.#client.send();
    } else if (!this.#around.spec.commands || !this.#commands.handle(topic, payload, retained)) {
      if (!retained) this.#around.onMessage(topic, payload);
    }
  }

  #onRefused(what: string, reason: string): void {
    if (what.startsWith('a subscription')) this.#refusedSubscriptions++;
    if (!this.#refusals.take(this.#around.broker.nowMs() * 1e6)) return;
    this.#log.error(`mqtt: the broker refuses ${what}: ${reason}`);
    this.#around.onNews({ phase: 'refused', what, reason });
  }

  /** Tells of the device as it is now, and first of what it has lost. */
  #announce(discovery: Discovery, before: Components): void {
    const now = discovery.components(this.#config);
    const gone = goneFrom(before, now);
    // Both are to arrive, so the first is an event; the second is what stays.
    if (Object.keys(gone).length > 0) this.#outbox.event(discovery.message(now, gone));
    this.#outbox.state(discovery.message(now));
    this.#components = now;
  }

  /** Once per session: only a daemon that ran before this one leaves anything. */
  #lookForLeftovers(): void {
    if (this.#lookedForLeftovers) return;
    this.#lookedForLeftovers = true;
    const filters = [stateFilter(this.#around.topics)];
    if (this.#discovery !== undefined) filters.push(this.#discovery.topic);
    for (const filter of filters) this.#client.subscribe(filter, 0, { retained: true });
    this.#later(LEFTOVERS_MS, () => {
      for (const filter of filters) this.#client.unsubscribe(filter);
    });
  }

  /** The device as it was told of before, by a daemon with another configuration. */
  #meetOlder(discovery: Discovery, payload: Buffer): void {
    const before = componentsIn(payload);
    if (isDeepStrictEqual(goneFrom(before, this.#components), {})) return;
    this.#announce(discovery, before);
    this.#client.send();
  }

  #answerBirth(): void {
    this.#later(this.#around.broker.random() * BIRTH_SPREAD_MS, () => {
      if (this.#discovery !== undefined) this.#announce(this.#discovery, {});
      this.#outbox.state({ topic: this.#around.topics.availability, payload: 'online', qos: 1, retain: true });
      this.#teller.states();
    });
  }

  #later(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms).unref();
    this.#timers.add(timer);
  }

  /** Topics of the states that there are. */
  #followed(): ReadonlySet<string> {
    const { topics } = this.#around;
    return new Set(this.#config.lines.filter(isFollowed).map(({ name }) => topics.state(name)));
  }

  #tellDropped(count: number): void {
    const { spec, onNews } = this.#around;
    const text = `mqtt: ${messages(count)} given up: more would have waited for the broker than may (queue_max: ${spec.queueMax})`;
    this.#log.warn({ count }, text);
    onNews({ phase: 'dropped', count });
  }
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}
