// Metrics of the connection to the broker; none without `mqtt:` in the configuration.
import type { MqttStatus } from '../mqtt/port.js';
import { type NumberFamily, ofStatus } from './families.js';

function ofMqtt(
  kind: NumberFamily['kind'],
  name: string,
  help: string,
  value: (mqtt: MqttStatus) => number,
): NumberFamily {
  return ofStatus(kind, `gpio_irqd_mqtt_${name}`, help, ({ mqtt }) => (mqtt === undefined ? undefined : value(mqtt)));
}

const commands: NumberFamily = {
  kind: 'counter',
  name: 'gpio_irqd_mqtt_commands_total',
  help: 'Commands to outputs that came through the broker.',
  labels: ['result'],
  collect: ({ target }, add) => {
    const { mqtt } = target.status();
    if (mqtt === undefined) return;
    add({ result: 'done' }, mqtt.commands);
    add({ result: 'refused' }, mqtt.commandsRefused);
  },
};

export const mqttFamilies: readonly NumberFamily[] = [
  ofMqtt('gauge', 'connected', '1 while there is a connection to the broker.', ({ connected }) => Number(connected)),
  ofMqtt('gauge', 'queued', 'Messages that wait for the broker.', ({ queued }) => queued),
  ofMqtt('gauge', 'unconfirmed', 'Messages that were sent and are not confirmed.', ({ unconfirmed }) => unconfirmed),
  ofMqtt('counter', 'published_total', 'Messages that the broker has taken.', ({ published }) => published),
  ofMqtt(
    'counter',
    'dropped_total',
    'Messages that were given up because more would have waited than may.',
    ({ dropped }) => dropped,
  ),
  ofMqtt(
    'counter',
    'superseded_total',
    'States that were not sent because a newer one had come.',
    ({ superseded }) => superseded,
  ),
  ofMqtt(
    'counter',
    'refused_total',
    'Messages and subscriptions that the broker would not take.',
    ({ refused }) => refused,
  ),
  ofMqtt('counter', 'received_total', 'Messages that came.', ({ received }) => received),
  ofMqtt(
    'counter',
    'flooded_total',
    'Messages that came and were left out because more came than are handled.',
    ({ flooded }) => flooded,
  ),
  ofMqtt('counter', 'reconnects_total', 'Connections to the broker after the first.', ({ reconnects }) => reconnects),
  commands,
];
