import { expect, test } from 'vitest';
import { FakeService } from '../control/fake-service.spec-helper.js';
import { configOf, eventually } from './broker.spec-helper.js';
import type { Message } from './message.js';
import { Outbox } from './outbox.js';
import { Teller } from './teller.js';
import { Topics } from './topics.js';

function rig() {
  const service = new FakeService();
  const outbox = new Outbox({ events: 100_000, states: 100, bytes: 1e9 }, () => {});
  let more = 0;
  let overrun = 0;
  const teller = new Teller(configOf('mqtt://broker'), {
    target: service,
    topics: new Topics('house/pi'),
    qos: 1,
    outbox,
    onMore: () => more++,
    onOverrun: (count) => {
      overrun += count;
    },
  });
  const edge = (seqno: number): void =>
    service.emit({
      type: 'edge',
      atNs: 1,
      line: 'button2',
      edge: seqno % 2 === 1 ? 'rising' : 'falling',
      lineSeqno: seqno,
    });
  const taken = (): Message[] => {
    const messages: Message[] = [];
    for (let next = outbox.take(); next !== undefined; next = outbox.take()) messages.push(next);
    return messages;
  };
  return { service, outbox, teller, edge, taken, more: () => more, overrun: () => overrun };
}

test('while an edge is told of, no message is made: that comes a turn later', async () => {
  const { edge, outbox, more } = rig();
  edge(1);
  expect(outbox.length).toBe(0);
  await eventually(() => more() === 1);
  expect(outbox.length).toBe(2);
});

test('a burst is made messages of in several turns, in its order', async () => {
  const { edge, taken, more, outbox } = rig();
  for (let i = 1; i <= 1000; i++) edge(i);
  await eventually(() => outbox.length === 1001);
  expect(more()).toBeGreaterThanOrEqual(7);
  const events = taken().filter(({ topic }) => topic.endsWith('/event'));
  expect(events.map(({ payload }) => (JSON.parse(payload) as { seqno: number }).seqno)).toEqual(
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});

test('more events in one turn than are kept lose the oldest, which is told, and the states are read anew', async () => {
  const { edge, outbox, teller, taken, overrun, service } = rig();
  service.led = 1;
  for (let i = 1; i <= 20_000; i++) edge(i);
  expect(overrun()).toBe(8192);
  expect(teller.overrun).toBe(8192);
  await eventually(() => outbox.length === 20_000 - 8192 + 2);
  const states = taken().filter(({ topic }) => topic.endsWith('/state'));
  expect(states.map(({ topic, payload }) => `${topic} ${payload}`)).toEqual([
    'house/pi/line/button2/state OFF',
    'house/pi/line/led1/state ON',
  ]);
});

test('what was heard before an end is told, and nothing after it', () => {
  const { edge, teller, taken, service } = rig();
  for (let i = 1; i <= 300; i++) edge(i);
  teller.close();
  edge(301);
  expect(taken().filter(({ topic }) => topic.endsWith('/event'))).toHaveLength(300);
  expect(service.listeners).toBe(0);
});
