// The world around the service: chips, programs, requests, messages, and timers that are none of the model's.
import { KernelError } from '../kernel/index.js';
import { exec } from './actions/exec.js';
import { http } from './actions/http.js';
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
