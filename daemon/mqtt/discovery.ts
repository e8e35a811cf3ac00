// What Home Assistant is told, so that it shows the lines of this daemon as one device (its discovery by MQTT, form "device").

import type { Config, LineSpec } from '../config/config.js';
import type { MqttSpec } from '../config/sections/mqtt.js';
import type { Message } from './message.js';
import type { Topics } from './topics.js';

/** One component of the device: a platform of Home Assistant, and what that takes. */
export interface Component {
  readonly platform: 'switch' | 'light' | 'binary_sensor' | 'event' | 'device_automation';
  readonly [key: string]: unknown;
}

/** Components by their identifiers within the device. */
export type Components = Readonly<Record<string, Component>>;

/** What is told of the device besides its components. */
export interface DeviceDetails {
  readonly host: string;
  readonly version: string;
}

/** Edges as Home Assistant names what a button does. */
const TRIGGERS = { rising: 'button_short_press', falling: 'button_short_release' } as const;

/** A text as part of a discovery topic, which has letters, digits, - and _ only. */
function identifier(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, (c) => (c === '/' ? '_' : `-${(c.codePointAt(0) ?? 0).toString(16)}-`));
}

/** Whether the daemon knows the level of a line at all times: what it has set, or what both edges tell. */
export function isFollowed({ direction, edge }: LineSpec): boolean {
  return direction === 'out' || edge === 'both';
}

/** The kinds of edges that a line tells of. */
export function edgesOf({ edge }: LineSpec): ('rising' | 'falling')[] {
  if (edge === 'none') return [];
  return edge === 'both' ? ['rising', 'falling'] : [edge];
}

/** Of one broker, the device that a daemon is to Home Assistant. */
export class Discovery {
  /** Where the device is told of. */
  readonly topic: string;
  /** Where Home Assistant says that it has come. */
  readonly birthTopic: string;
  readonly #spec: MqttSpec;
  readonly #topics: Topics;
  readonly #details: DeviceDetails;
  readonly #id: string;

  /** @param prefix the topic that Home Assistant listens to, `homeassistant` unless it was told otherwise */
  constructor(prefix: string, spec: MqttSpec, topics: Topics, details: DeviceDetails) {
    this.#id = identifier(topics.base);
    this.topic = `${prefix}/device/${this.#id}/config`;
    this.birthTopic = `${prefix}/status`;
    this.#spec = spec;
    this.#topics = topics;
    this.#details = details;
  }

  /** The components of a configuration. */
  components({ lines }: Config): Components {
    return Object.fromEntries(
      lines.flatMap((line) => (line.direction === 'out' ? this.#output(line) : this.#input(line))),
    );
  }

  /**
   * The message that tells of the device.
   *
   * @param gone components that it had and has no more, which Home Assistant is to forget
   */
  message(components: Components, gone: Components = {}): Message {
    const { host, version } = this.#details;
    const forgotten = Object.entries(gone).map(([id, { platform }]) => [id, { platform }]);
    const payload = {
      device: {
        identifiers: [this.#id],
        name: host,
        manufacturer: 'gpio-irqd',
        model: 'GPIO daemon',
        sw_version: version,
      },
      origin: { name: 'gpio-irqd', sw_version: version },
      availability_topic: this.#topics.availability,
      qos: this.#spec.qos,
      components: { ...Object.fromEntries(forgotten), ...components },
    };
    return { topic: this.topic, payload: JSON.stringify(payload), qos: 1, retain: true };
  }

  /** The message that takes the whole device away. */
  removal(): Message {
    return { topic: this.topic, payload: '', qos: 1, retain: true };
  }

  #output(line: LineSpec): [string, Component][] {
    const kind = this.#spec.entities[line.name] ?? 'switch';
    if (kind === 'none') return [];
    const topics = { state_topic: this.#topics.state(line.name), command_topic: this.#topics.command(line.name) };
    const { state_topic } = topics;
    if (!this.#spec.commands) return [this.#entity(line, '', { platform: 'binary_sensor', state_topic })];
    return [this.#entity(line, '', { platform: kind === 'light' ? 'light' : 'switch', ...topics })];
  }

  #input(line: LineSpec): [string, Component][] {
    const kind = this.#spec.entities[line.name];
    if (kind === 'none' || line.edge === 'none') return [];
    const isSensor = kind !== undefined && kind !== 'button';
    const events = [this.#event(line, kind === 'button'), ...edgesOf(line).map((edge) => this.#trigger(line, edge))];
    // A button is let go as soon as it was pressed: its level is of no interest.
    if (!isFollowed(line) || kind === 'button') return events;
    const state_topic = this.#topics.state(line.name);
    const device_class = isSensor && kind !== 'sensor' ? { device_class: kind } : {};
    const sensor = this.#entity(line, '', { platform: 'binary_sensor', state_topic, ...device_class });
    return isSensor ? [sensor] : [sensor, ...events];
  }

  #event(line: LineSpec, button: boolean): [string, Component] {
    const state_topic = this.#topics.event(line.name);
    const device_class = button ? { device_class: 'button' } : {};
    return this.#entity(line, 'event', { platform: 'event', state_topic, event_types: edgesOf(line), ...device_class });
  }

  #trigger(line: LineSpec, edge: 'rising' | 'falling'): [string, Component] {
    return [
      `${line.name}_${edge}`,
      {
        platform: 'device_automation',
        automation_type: 'trigger',
        type: TRIGGERS[edge],
        subtype: line.name,
        topic: this.#topics.event(line.name),
        payload: edge,
        value_template: '{{ value_json.event_type }}',
      },
    ];
  }

  #entity(line: LineSpec, part: string, component: Component): [string, Component] {
    const id = part === '' ? line.name : `${line.name}_${part}`;
    const name = part === '' ? line.name : `${line.name} ${part}`;
    return [id, { ...component, name, unique_id: `${this.#id}_${id}` }];
  }
}
