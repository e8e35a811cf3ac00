// `mqtt`: the broker that lines and interrupts are told to, and commands come from.

import { z } from 'zod';
import type { Rules } from '../rules.js';
import { booleanOr, duration, filePath, keys, matching, PORT } from '../values.js';

/** A topic to publish to: no wildcards. */
const TOPIC = /^[^\0#+]+$/;

/** With a name or a number for the host, and without who asks. */
const URL_FORM = new RegExp(
  String.raw`^(mqtts?|tcp|tls|wss?)://([^\s/@:?#\[\]]+|\[[\da-fA-F:.]+\])(:${PORT})?(/\S*)?$`,
);

/** Versions of the protocol; `auto` is 5, or 3.1.1 with a broker that does not know 5. */
export const MQTT_VERSIONS = ['auto', 5, '3.1.1'] as const;

/** What Home Assistant may show an output as. */
export const OUTPUT_ENTITIES = ['switch', 'light', 'none'] as const;
/** What it may show an input as: a button, a sensor, or a sensor of one of its device classes. */
export const INPUT_ENTITIES = [
  ...['button', 'none', 'sensor', 'door', 'garage_door', 'window', 'opening', 'motion', 'occupancy', 'presence'],
  ...['vibration', 'tamper', 'lock', 'moisture', 'smoke', 'gas', 'heat', 'cold', 'power', 'plug', 'running', 'problem'],
  ...['safety', 'sound'],
] as const;
/** What Home Assistant may show a line as. */
export type EntityKind = (typeof OUTPUT_ENTITIES)[number] | (typeof INPUT_ENTITIES)[number];

const entityKind = z.enum([...new Set<EntityKind>([...OUTPUT_ENTITIES, ...INPUT_ENTITIES])]);

/** The section. */
export const mqttSchema = keys({
  url: matching(
    URL_FORM,
    'write mqtt://HOST or mqtts://HOST:8883, with username and password_file as keys of their own',
  )
    .max(512)
    .describe('The broker. User name and password have keys of their own.')
    .meta({ examples: ['mqtt://localhost', 'mqtts://broker.example:8883'] }),
  version: z
    .literal(MQTT_VERSIONS)
    .default('auto')
    .describe('Version of the protocol; `auto` is 5, or 3.1.1 with a broker that does not know 5.'),
  username: z.string().min(1).max(256).optional().describe('User name at the broker.'),
  password_file: filePath.optional().describe('File with the password; nobody else may read it.'),
  ca_file: filePath.optional().describe("Certificates that the broker's is checked against, in place of the system's."),
  cert_file: filePath.optional().describe('Certificate that the daemon shows to the broker.'),
  key_file: filePath.optional().describe('Key of that certificate; nobody else may read it.'),
  client_id: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Name of this daemon at the broker; no two clients may have the same.')
    .meta({ default: 'gpio-irqd-HOSTNAME' }),
  base_topic: matching(TOPIC, 'write a topic without # and +: gpio-irqd/hall')
    .max(256)
    .optional()
    .describe('Topic that all topics of this daemon begin with.')
    .meta({ default: 'gpio-irqd/HOSTNAME' }),
  discovery: booleanOr(matching(TOPIC, 'write false, or a topic without # and +: homeassistant').max(256))
    .default('homeassistant')
    .describe('Topic under which Home Assistant is told of the lines; `false` for not at all.')
    .meta({ default: 'homeassistant' }),
  entities: z
    .record(z.string(), entityKind)
    .default({})
    .describe(
      'What Home Assistant shows a line as. An output: `switch`, `light` or `none`. An input: `button`, `none`, `sensor`, or a device class of its binary sensors.',
    )
    .meta({ examples: [{ led1: 'light', button1: 'button', reed: 'door' }] }),
  commands: z
    .boolean()
    .default(true)
    .describe('Whether outputs may be set by messages; `false` for a daemon that only tells.'),
  qos: z.literal([0, 1, 2]).default(1).describe('Quality of service of what is told.'),
  keepalive: duration(1e9, 65_535e9, 1e9).default(60e9).describe('Longest silence towards the broker.').meta({
    default: '60s',
  }),
  session: duration(0, 604_800e9, 1e9)
    .optional()
    .describe(
      'How long the broker keeps what comes for the daemon while the connection is broken; `0s` for not at all. With version 3.1.1 the broker decides how long, and keeps nothing unless this is set.',
    )
    .meta({ default: '5min' }),
  queue_max: z
    .int()
    .min(10)
    .max(100_000)
    .default(1000)
    .describe('Messages kept while the broker is away; beyond that the oldest are given up, and counted.'),
}).describe('A broker to tell of lines and edges, and to take commands from.');

/** A checked section. */
export type MqttInput = z.output<typeof mqttSchema>;

/** The broker, and how it is told. */
export interface MqttSpec {
  readonly url: string;
  readonly version: 'auto' | 4 | 5;
  readonly username: string | undefined;
  /** Absolute paths. */
  readonly passwordFile: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** `undefined` for one made of the host's name. */
  readonly clientId: string | undefined;
  /** `undefined` for one made of the host's name. */
  readonly baseTopic: string | undefined;
  /** Topic that Home Assistant's discovery listens to; `undefined` when it is told nothing. */
  readonly discovery: string | undefined;
  /** By name of the line. */
  readonly entities: Readonly<Record<string, EntityKind>>;
  /** Whether outputs may be set by messages. */
  readonly commands: boolean;
  readonly qos: 0 | 1 | 2;
  readonly keepaliveNs: number;
  /** `undefined` for the default of the protocol's version. */
  readonly sessionNs: number | undefined;
  readonly queueMax: number;
}

/** What goes together in the section. */
export function checkMqtt(rules: Rules): void {
  const input = rules.pieces.mqtt;
  if (input === undefined) return;
  if (!URL.canParse(input.url)) rules.add('CONFIG_VALUE', ['mqtt', 'url'], 'no such address', 'write mqtt://HOST');
  if (input.password_file !== undefined && input.username === undefined) {
    const hint = 'a password goes with a username';
    rules.add('CONFIG_CONFLICT', ['mqtt', 'password_file'], 'password_file without username', hint, true);
  }
  for (const [one, other] of [
    ['cert_file', 'key_file'],
    ['key_file', 'cert_file'],
  ] as const) {
    if (input[one] === undefined || input[other] !== undefined) continue;
    rules.add('CONFIG_CONFLICT', ['mqtt', one], `${one} without ${other}`, 'a certificate goes with its key', true);
  }
  for (const [name, kind] of Object.entries(input.entities)) checkEntity(rules, name, kind);
}

function checkEntity(rules: Rules, name: string, kind: EntityKind): void {
  const path = ['mqtt', 'entities', name];
  const line = rules.lookUp(rules.pieces.lines, name, path, 'line');
  if (line === undefined) return;
  const isOutput = line.direction === 'out';
  const kinds: readonly EntityKind[] = isOutput ? OUTPUT_ENTITIES : INPUT_ENTITIES;
  if (!kinds.includes(kind)) {
    const what = isOutput ? 'an output' : 'an input';
    rules.add('CONFIG_CONFLICT', path, `${name} is ${what}, and no ${kind}`, `${what} is one of ${kinds.join(', ')}`);
  } else if (!isOutput && kind === 'button') {
    rules.edges(name, path);
  } else if (!isOutput && kind !== 'none') {
    rules.bothEdges(name, path, 'a sensor');
  }
}

/** The section with absolute paths. @param toPath makes a path of the file absolute */
export function buildMqtt(input: MqttInput, toPath: (path: string) => string): MqttSpec {
  const optional = (path: string | undefined): string | undefined => (path === undefined ? undefined : toPath(path));
  const { discovery } = input;
  return {
    url: input.url,
    version: input.version === '3.1.1' ? 4 : input.version,
    username: input.username,
    passwordFile: optional(input.password_file),
    caFile: optional(input.ca_file),
    certFile: optional(input.cert_file),
    keyFile: optional(input.key_file),
    clientId: input.client_id,
    baseTopic: input.base_topic,
    discovery: discovery === true ? 'homeassistant' : discovery === false ? undefined : discovery,
    entities: input.entities,
    commands: input.commands,
    qos: input.qos,
    keepaliveNs: input.keepalive,
    sessionNs: input.session,
    queueMax: input.queue_max,
  };
}
