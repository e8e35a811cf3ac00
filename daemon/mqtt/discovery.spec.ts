// What Home Assistant takes is from its documentation of MQTT discovery and the schemas of its MQTT integration.

import { expect, test } from 'vitest';
import { z } from 'zod';
import { configOf } from './broker.spec-helper.js';
import { Discovery } from './discovery.js';
import { componentsIn, goneFrom } from './leftovers.js';
import { filterFault, topicFault } from './message.js';
import { Topics } from './topics.js';

const topic = z.string().refine((text) => filterFault(text) === undefined);
const commandTopic = z.string().refine((text) => topicFault(text) === undefined);
const entity = { name: z.string(), unique_id: z.string().min(1) };

/** Only these keys, as Home Assistant documents each platform. */
const component = z.discriminatedUnion('platform', [
  z.strictObject({ platform: z.enum(['switch', 'light']), ...entity, state_topic: topic, command_topic: commandTopic }),
  z.strictObject({
    platform: z.literal('binary_sensor'),
    ...entity,
    state_topic: topic,
    device_class: z.string().optional(),
  }),
  z.strictObject({
    platform: z.literal('event'),
    ...entity,
    state_topic: topic,
    event_types: z.array(z.string()).min(1),
    device_class: z.enum(['button', 'doorbell', 'motion']).optional(),
  }),
  z.strictObject({
    platform: z.literal('device_automation'),
    automation_type: z.literal('trigger'),
    type: z.string(),
    subtype: z.string(),
    topic,
    payload: z.string(),
    value_template: z.string(),
  }),
]);

const device = z.strictObject({
  device: z.strictObject({
    identifiers: z.array(z.string()).min(1),
    name: z.string(),
    manufacturer: z.string(),
    model: z.string(),
    sw_version: z.string(),
  }),
  // Without it the device form is refused.
  origin: z.strictObject({ name: z.string(), sw_version: z.string() }),
  availability_topic: topic,
  qos: z.literal([0, 1, 2]),
  components: z.record(z.string(), component),
});

const LINES = `lines:
  bell: { gpio: 17, edge: both }
  press: { gpio: 18, edge: rising }
  reed: { gpio: 22, edge: both }
  plain: { gpio: 23, edge: both }
  still: { gpio: 24 }
  lamp: { gpio: 4, direction: out }
  pump: { gpio: 5, direction: out }
  hidden: { gpio: 6, direction: out }
interrupts:
  - { line: bell, patterns: [ { on: double, do: [ { log: twice } ] }, { on: long, do: [ { log: long } ] } ] }
chords: [ { name: both, lines: [bell, plain], within: 100ms, do: [ { log: chord } ] } ]
`;
const ENTITIES = 'entities: { lamp: light, reed: door, hidden: none }';

function discoveryOf(more = ENTITIES, base = 'house/pi') {
  const config = configOf('mqtt://broker', more, LINES);
  if (config.mqtt === undefined) throw new Error('no section');
  const discovery = new Discovery('homeassistant', config.mqtt, new Topics(base), { host: 'pi', version: '1.0.0' });
  return { discovery, components: discovery.components(config) };
}

test('the message is one that Home Assistant takes', () => {
  const { discovery, components } = discoveryOf();
  const message = discovery.message(components);
  expect(message).toMatchObject({ topic: 'homeassistant/device/house_pi/config', retain: true, qos: 1 });
  expect(() => device.parse(JSON.parse(message.payload))).not.toThrow();
});

test('each line is what it is fit for, or what the configuration says', () => {
  const { components } = discoveryOf();
  const platforms = Object.entries(components).map(([id, { platform }]) => `${id} ${platform}`);
  expect(platforms).toEqual([
    'bell_event event',
    'bell_double device_automation',
    'bell_long device_automation',
    'press_event event',
    'press_rising device_automation',
    'reed binary_sensor',
    'plain binary_sensor',
    'plain_event event',
    'plain_rising device_automation',
    'plain_falling device_automation',
    'lamp light',
    'pump switch',
    'both_event event',
    'both_chord device_automation',
  ]);
  expect(components.reed).toMatchObject({ device_class: 'door', state_topic: 'house/pi/line/reed/state' });
  expect(components.bell_event).toMatchObject({
    device_class: 'button',
    event_types: ['rising', 'falling', 'double', 'long'],
  });
  expect(components.bell_double).toMatchObject({ type: 'button_double_press', subtype: 'bell', payload: 'double' });
});

test('identifiers are unique over all daemons of a broker, and fit a topic', () => {
  const bases = ['house/pi', 'house_pi', 'house-pi', 'house_pi/x', 'haus/küche', 'house pi', 'house.pi'];
  const found = bases.map((base) => discoveryOf(ENTITIES, base).discovery.topic);
  expect(new Set(found).size).toBe(bases.length);
  for (const one of found) expect(one).toMatch(/^homeassistant\/device\/[A-Za-z0-9_-]+\/config$/);
  const { components } = discoveryOf();
  const ids = Object.values(components).flatMap(({ unique_id }) => (unique_id === undefined ? [] : [unique_id]));
  expect(new Set(ids).size).toBe(ids.length);
});

test('what is gone is named by its platform alone, which removes it', () => {
  const { discovery, components } = discoveryOf();
  const { lamp, ...rest } = components;
  const gone = goneFrom(components, rest);
  const payload = JSON.parse(discovery.message(rest, gone).payload) as { components: Record<string, unknown> };
  expect(payload.components.lamp).toEqual({ platform: 'light' });
  expect(lamp).toBeDefined();
  expect(discovery.removal()).toMatchObject({ payload: '', retain: true });
});

test('a component that has become another is removed first', () => {
  const { components } = discoveryOf();
  const { components: other } = discoveryOf('entities: { lamp: switch }');
  expect(Object.keys(goneFrom(components, other))).toEqual(['lamp']);
});

test.each(['', 'null', '[]', '{"components":3}', '{"components":{"a":{"platform":"bomb"}}}', '{'])(
  'of %j, which is no message of a device, nothing is read',
  (payload) => {
    expect(componentsIn(Buffer.from(payload))).toEqual({});
  },
);
