// MQTT beside the service: a session with the broker of the configuration, and what outlives it when that changes.

import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { KernelError } from '../../kernel/errno.js';
import { Bursts } from '../bridge/bursts.js';
import type { Config } from '../config/config.js';
import type { MqttSpec } from '../config/sections/mqtt.js';
import type { ControlTarget } from '../control/target.js';
import { checkMessage, filterFault, matches } from './message.js';
import { Outbox, type OutboxLimits } from './outbox.js';
import type { IncomingMessage, MqttNews, MqttPort, MqttStatus, PublishOptions } from './port.js';
import type { Session } from './session.js';

/** What {@link Mqtt} needs. */
export interface MqttOptions {
  readonly log: Logger;
  /** Absolute. */
  readonly configPath: string;
  /** As the daemon starts with it. */
  readonly config: Config;
  /** Name of the machine; default: its host name. */
  readonly host?: string;
  /** Numbers from 0 to 1 for waits; default: Math.random. */
  readonly random?: () => number;
}

/** How long an end waits for the broker to confirm what is on its way. */
const END_MS = 2_000;
/** What is kept before there is a session at all: for the moments in which one begins. */
const EARLY: OutboxLimits = { events: 1000, states: 1000, bytes: 1024 * 1024 };

type Listener = (message: IncomingMessage) => void;

/** A text as UTF-8 has it, or the nearest thing to one. */
const decoder = new TextDecoder();

/** The daemon's MQTT, from its start to its end, whether there is a broker in the configuration or not. */
export class Mqtt implements MqttPort {
  readonly #options: MqttOptions;
  readonly #log: Logger;
  readonly #host: string;
  readonly #listeners = new Map<string, Set<Listener>>();
  #onNews: (news: MqttNews) => void = () => undefined;
  #target: ControlTarget | undefined;
  #session: Session | undefined;
  /** The session that is being opened or ended; one thing after the other. */
  #busy: Promise<void> = Promise.resolve();
  #configured: boolean;
  #stopped = false;
  readonly #earlyDrops = new Bursts((_, count) => this.#tellDropped(count));
  /** What waits for the session that begins. */
  readonly #early = new Outbox(EARLY, () => this.#earlyDrops.add('dropped', 1));

  constructor(options: MqttOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#configured = options.config.mqtt !== undefined;
    // The part of a full name that is the machine's own.
    this.#host = options.host ?? hostname().split('.', 1)[0] ?? 'localhost';
  }

  /**
   * Connects, in the background: a broker that is away is waited for.
   *
   * @throws KernelError as brokerSettings does: for credentials that cannot be used
   */
  async start(target: ControlTarget, config: Config): Promise<void> {
    this.#target = target;
    const { mqtt: spec } = config;
    if (spec !== undefined) this.#then(await this.#prepare(spec, config, target));
  }

  /**
   * Checks what a configuration says before it is taken over.
   *
   * @throws KernelError as {@link start} does
   */
  async check({ mqtt: spec }: Config): Promise<void> {
    if (spec === undefined) return;
    const { brokerSettings, topicsOf } = await import('./settings.js');
    brokerSettings(spec, this.#identity, topicsOf(spec, this.#identity));
  }

  /**
   * Takes over a changed configuration: other lines over the same connection, another broker or name over another.
   *
   * @throws KernelError as {@link start} does; the old session goes on then
   */
  async reconfigure(config: Config): Promise<void> {
    await this.#busy;
    const target = this.#target;
    if (target === undefined || this.#stopped) return;
    const session = this.#session;
    const { mqtt: spec } = config;
    if (session !== undefined && isDeepStrictEqual(session.spec, spec)) {
      session.configure(config);
      return;
    }
    const open = spec === undefined ? undefined : await this.#prepare(spec, config, target);
    const stays = session !== undefined && spec !== undefined && (await this.#isSamePlace(session.spec, spec));
    // A stop that came meanwhile has ended the session, and there is to be no other.
    if (this.#stopped) return;
    this.#configured = spec !== undefined;
    this.#session = undefined;
    if (session !== undefined) this.#then(() => session.end(END_MS, !stays));
    if (open !== undefined) this.#then(open);
    else this.#early.clear();
    await this.#busy;
  }

  publish(topic: string, payload: string, { qos, retain }: PublishOptions): void {
    if (!this.#configured) {
      const hint = 'docs/mqtt.md says what to write';
      throw new KernelError('ENOTCONN', 'no mqtt: in the configuration', { subject: topic, hint });
    }
    const message = { topic, payload, qos, retain };
    if (this.#session !== undefined) {
      this.#session.publish(message);
      return;
    }
    checkMessage(message);
    if (retain) this.#early.state(message);
    else this.#early.event(message);
  }

  onMessage(filter: string, listener: Listener): () => void {
    const fault = filterFault(filter);
    if (fault !== undefined) {
      throw new KernelError('EINVAL', `'${filter.slice(0, 80)}' is no topic to listen to: ${fault}`, {
        subject: filter,
      });
    }
    const others = this.#listeners.get(filter);
    const listeners = others ?? new Set<Listener>();
    listeners.add(listener);
    this.#listeners.set(filter, listeners);
    if (others === undefined) this.#session?.subscribe(filter);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(filter) !== listeners) return;
      this.#listeners.delete(filter);
      this.#session?.unsubscribe(filter);
    };
  }

  status(): MqttStatus | undefined {
    return this.#session?.status();
  }

  onNews(listener: (news: MqttNews) => void): void {
    this.#onNews = listener;
  }

  /** Tells that the daemon is gone, and ends. Resolves within a few seconds, whatever the broker does. */
  async stop(): Promise<void> {
    this.#configured = false;
    this.#stopped = true;
    this.#earlyDrops.flush();
    this.#then(async () => {
      const session = this.#session;
      this.#session = undefined;
      await session?.end(END_MS, false);
    });
    await this.#busy;
  }

  get #identity(): { host: string; configPath: string } {
    return { host: this.#host, configPath: this.#options.configPath };
  }

  /** Reads what is needed at once, so that its errors are told at once. @returns opens the session */
  async #prepare(spec: MqttSpec, config: Config, target: ControlTarget): Promise<() => Promise<void>> {
    // Loaded here and below: only those who have a broker need it.
    const { brokerSettings, isPasswordOpen, topicsOf } = await import('./settings.js');
    const topics = topicsOf(spec, this.#identity);
    const settings = brokerSettings(spec, this.#identity, topics);
    if (isPasswordOpen(spec)) this.#log.warn('mqtt: the password goes over the network for all to read; use mqtts://');
    const { random = Math.random } = this.#options;
    return async () => {
      const [{ Session }, { loadStreams }] = await Promise.all([import('./session.js'), import('./stream.js')]);
      const open = await loadStreams(settings.address);
      // The client alone: the library's entrance loads every way to a broker, and takes 6 MB more.
      const library = createRequire(import.meta.url)('mqtt/lib/client') as typeof import('mqtt/lib/client');
      this.#session = new Session(config, {
        target,
        spec,
        settings,
        topics,
        details: { host: this.#host, version: target.status().version },
        log: this.#log,
        broker: { Client: library.default, open, random, nowMs: () => performance.now() },
        filters: () => this.#listeners.keys(),
        onMessage: (topic, payload) => this.#hand(topic, payload),
        onNews: (news) => this.#onNews(news),
      });
      this.#earlyDrops.flush();
      for (let message = this.#early.take(); message !== undefined; message = this.#early.take()) {
        this.#session.publish(message);
      }
    };
  }

  async #isSamePlace(before: MqttSpec, now: MqttSpec): Promise<boolean> {
    const { topicsOf } = await import('./settings.js');
    const same = topicsOf(before, this.#identity).base === topicsOf(now, this.#identity).base;
    return same && before.url === now.url && before.discovery === now.discovery;
  }

  #then(step: () => Promise<void>): void {
    this.#busy = this.#busy.then(step).catch((error: unknown) => this.#log.error({ err: error }, 'mqtt: no session'));
  }

  #tellDropped(count: number): void {
    this.#log.warn({ count }, 'mqtt: messages given up: more came than may wait for a session that begins');
    this.#onNews({ phase: 'dropped', count });
  }

  #hand(topic: string, payload: Buffer): void {
    for (const [filter, listeners] of this.#listeners) {
      if (!matches(filter, topic)) continue;
      for (const listener of listeners) {
        try {
          listener({ topic, payload: decoder.decode(payload) });
        } catch (error) {
          this.#log.error({ err: error, topic: topic.slice(0, 80) }, 'mqtt: a receiver of messages failed');
        }
      }
    }
  }
}
