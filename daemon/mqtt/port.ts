// What the rest of the daemon sees of MQTT.

import type { Qos } from './message.js';

/** How a message is published. */
export interface PublishOptions {
  readonly qos: Qos;
  /** The broker keeps it; while it waits for a broker that is away, a newer one of its topic takes its place. */
  readonly retain: boolean;
}

/** A message that came. Retained ones are not handed on: nobody knows how old they are. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: string;
}

/** The connection to the broker, and what became of the messages; counts since the start. */
export interface MqttStatus {
  /** Address without user name and password. */
  readonly broker: string;
  readonly connected: boolean;
  /** `5` or `3.1.1`; absent before the first connection. */
  readonly version?: string;
  readonly clientId: string;
  readonly baseTopic: string;
  /** Why there is no connection; absent while there is one, and before the first try. */
  readonly problem?: string;
  /** Messages that wait, and those that were sent and are not confirmed. */
  readonly queued: number;
  readonly unconfirmed: number;
  /** Messages that the broker has taken. */
  readonly published: number;
  /** Messages that were given up, the oldest first, because more would have waited than may. */
  readonly dropped: number;
  /** States that were sent no more, because a newer one of the same line had come. */
  readonly superseded: number;
  /** Messages and subscriptions that the broker would not take. */
  readonly refused: number;
  readonly received: number;
  /** Messages that came and were left out, because more came than are handled. */
  readonly flooded: number;
  /** Commands to outputs that were carried out, and that were not. */
  readonly commands: number;
  readonly commandsRefused: number;
  /** Connections after the first. */
  readonly reconnects: number;
}

/** Something that watchers of the daemon are told of MQTT. */
export type MqttNews =
  | { readonly phase: 'connected'; readonly broker: string }
  | { readonly phase: 'disconnected'; readonly reason: string }
  /** Messages were given up; told at once, and what follows within a second in one sum. */
  | { readonly phase: 'dropped'; readonly count: number }
  /** The broker would not take a message or a subscription. */
  | { readonly phase: 'refused'; readonly what: string; readonly reason: string };

/** What is asked of MQTT. */
export interface MqttPort {
  /**
   * Sends a message, or keeps it until there is a connection: at most `queue_max`, the oldest given up first.
   *
   * @throws KernelError `ENOTCONN` without `mqtt:` in the configuration, `EINVAL` for a topic that is none, `EOVERFLOW` for a
   * payload that is too long
   */
  publish(topic: string, payload: string, options: PublishOptions): void;
  /**
   * Has `listener` called with each message of a filter, from the next connection on. Its errors are logged.
   *
   * @returns ends that; idempotent
   * @throws KernelError `EINVAL` for a filter that is none
   */
  onMessage(filter: string, listener: (message: IncomingMessage) => void): () => void;
  /** `undefined` without `mqtt:` in the configuration. */
  status(): MqttStatus | undefined;
  /** Has `listener` called with what happens. One listener. */
  onNews(listener: (news: MqttNews) => void): void;
}
