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

/** Events as Home Assistant names what a button does, in the choice of an automation's trigger. */
const TRIGGERS: Readonly<Record<string, string>> = {
  rising: 'button_short_press',
  falling: 'button_short_release',
  single: 'button_short_press',
  double: 'button_double_press',
  long: 'button_long_press',
  hold: 'button_hold',
  release: 'button_long_release',
  chord: 'button_chord',
};

/** A topic as part of a discovery topic, which has letters, digits, - and _ only: _ stands for /, and others for themselves as numbers. */
function identifier(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (c) => (c === '/' ? '_' : `-${(c.codePointAt(0) ?? 0).toString(16)}-`));
}

/** Whether the daemon knows the level of a line at all times: what it has set, or what both edges tell. */
export function isFollowed({ direction, edge }: LineSpec): boolean {
  return direction === 'out' || edge === 'both';
}

/** The kinds of edges that a line tells of. */
function edgesOf({ edge }: LineSpec): string[] {
  if (edge === 'none') return [];
  return edge === 'both' ? ['rising', 'falling'] : [edge];
}

/** The ways of pressing a line's button that the configuration looks for. */
function patternsOf({ interrupts }: Config, line: string): string[] {
  const found = interrupts.filter((one) => one.line === line).flatMap(({ patterns = [] }) => patterns);
  return [...new Set(found.map(({ on }) => on))];
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
  components(config: Config): Components {
    const lines = config.lines.flatMap((line) =>
      line.direction === 'out' ? this.#output(line) : this.#input(line, patternsOf(config, line.name)),
    );
    const chords = (config.chords ?? []).flatMap(({ name }) => [
      this.#event(name, ['chord'], true),
      this.#trigger(name, 'chord'),
    ]);
    return Object.fromEntries([...lines, ...chords]);
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

  #output({ name }: LineSpec): [string, Component][] {
    const kind = this.#spec.entities[name] ?? 'switch';
    if (kind === 'none') return [];
    const state_topic = this.#topics.state(name);
    if (!this.#spec.commands) return [this.#entity(name, '', { platform: 'binary_sensor', state_topic })];
    const platform = kind === 'light' ? 'light' : 'switch';
    return [this.#entity(name, '', { platform, state_topic, command_topic: this.#topics.command(name) })];
  }

  #input(line: LineSpec, patterns: readonly string[]): [string, Component][] {
    const { name } = line;
    const kind = this.#spec.entities[name];
    if (kind === 'none' || line.edge === 'none') return [];
    const isButton = kind === 'button' || patterns.length > 0;
    const isSensor = kind !== undefined && kind !== 'button';
    const events = [...edgesOf(line), ...patterns];
    // Who looks for long presses has no use for each press and release as triggers besides.
    const triggers = patterns.length > 0 ? patterns : events;
    const told = [this.#event(name, events, isButton), ...triggers.map((event) => this.#trigger(name, event))];
    // A button is let go as soon as it was pressed: its level is of no interest.
    if (!isFollowed(line) || (isButton && !isSensor)) return told;
    const device_class = isSensor && kind !== 'sensor' ? { device_class: kind } : {};
    const state_topic = this.#topics.state(name);
    const sensor = this.#entity(name, '', { platform: 'binary_sensor', state_topic, ...device_class });
    return isSensor ? [sensor] : [sensor, ...told];
  }

  #event(name: string, event_types: readonly string[], isButton: boolean): [string, Component] {
    const state_topic = this.#topics.event(name);
    const device_class = isButton ? { device_class: 'button' } : {};
    return this.#entity(name, 'event', { platform: 'event', state_topic, event_types, ...device_class });
  }

  #trigger(name: string, event: string): [string, Component] {
    return [
      `${name}_${event}`,
      {
        platform: 'device_automation',
        automation_type: 'trigger',
        type: TRIGGERS[event] ?? event,
        subtype: name,
        topic: this.#topics.event(name),
        payload: event,
        value_template: '{{ value_json.event_type }}',
      },
    ];
  }

  #entity(of: string, part: string, component: Component): [string, Component] {
    const id = part === '' ? of : `${of}_${part}`;
    const name = part === '' ? of : `${of} ${part}`;
    return [id, { ...component, name, unique_id: `${this.#id}_${id}` }];
  }
}
