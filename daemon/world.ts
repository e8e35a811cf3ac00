// The world around the service: chips, programs, requests, messages, and timers that are none of the model's.
import { KernelError } from '../kernel/index.js';
import { exec } from './actions/exec.js';
import { http, type Pause } from './actions/http.js';
import type { Idling } from './actions/slots.js';
import { openBackend } from './bridge/backend.js';
import type { StartTimer } from './bridge/bursts.js';
import type { MqttPort } from './mqtt/port.js';

/** What a replay has in place of the real ones. */
export interface World {
  readonly openBackend: typeof openBackend;
  readonly exec: typeof exec;
  readonly http: typeof http;
  /** Messages to and from a broker; default: there is none. */
  readonly messages?: Messages;
  /** Ms since 1970 by the wall clock; default: the machine's. */
  readonly wallMs?: () => number;
  readonly startTimer?: StartTimer;
  /** Numbers from 0 to 1, for pauses between tries that are not all alike; default: Math.random. */
  readonly random?: () => number;
  /** Waits between the tries of a request; default: in real time. */
  readonly pause?: Pause;
  /** Is told of programs and requests that wait for others to end. */
  readonly idling?: Idling;
  /** A number for handler modules that are loaded anew; default: each is loaded once in a process. */
  readonly instance?: number;
}

export const REAL_WORLD: World = { openBackend, exec, http };

/** Of MQTT, what actions and triggers need. */
export type Messages = Pick<MqttPort, 'publish' | 'onMessage'>;

export const NO_MESSAGES: Messages = {
  publish: () => {
    throw new KernelError('ENOTCONN', 'no mqtt: in the configuration', { hint: 'docs/mqtt.md says what to write' });
  },
  onMessage: () => () => {},
};
