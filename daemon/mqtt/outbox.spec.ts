import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from './message.js';
import { Outbox } from './outbox.js';

const ROOMY = { events: 1000, states: 1000, bytes: 1e6 };

function message(topic: string, payload: string): Message {
  return { topic, payload, qos: 1, retain: false };
}

function drain(outbox: Outbox): string[] {
  const taken: string[] = [];
  for (let next = outbox.take(); next !== undefined; next = outbox.take()) taken.push(`${next.topic}=${next.payload}`);
  return taken;
}

test('messages leave in the order in which they came, states and events alike', () => {
  const outbox = new Outbox(ROOMY, () => {});
  outbox.event(message('press', '1'));
  outbox.state(message('led', 'ON'));
  outbox.event(message('press', '2'));
  outbox.state(message('door', 'OFF'));
  expect(drain(outbox)).toEqual(['press=1', 'led=ON', 'press=2', 'door=OFF']);
  expect(outbox).toMatchObject({ length: 0, bytes: 0, dropped: 0 });
});

test('of the states of a topic only the newest is sent, in the place of the oldest', () => {
  const outbox = new Outbox(ROOMY, () => {});
  outbox.state(message('led', 'ON'));
  outbox.event(message('press', '1'));
  outbox.state(message('led', 'OFF'));
  expect(drain(outbox)).toEqual(['led=OFF', 'press=1']);
  expect(outbox).toMatchObject({ superseded: 1, dropped: 0 });
});

test('without room the oldest event goes, and is told of; states stay', () => {
  const gone: string[] = [];
  const outbox = new Outbox({ ...ROOMY, events: 2 }, ({ payload }) => gone.push(payload));
  outbox.state(message('led', 'ON'));
  for (const payload of ['1', '2', '3', '4']) outbox.event(message('press', payload));
  expect(gone).toEqual(['1', '2']);
  expect(drain(outbox)).toEqual(['led=ON', 'press=3', 'press=4']);
  expect(outbox.dropped).toBe(2);
});

test('bytes are limited as messages are', () => {
  const gone: string[] = [];
  const outbox = new Outbox({ ...ROOMY, bytes: 25 }, ({ payload }) => gone.push(payload));
  outbox.event(message('a', '123456789'));
  outbox.event(message('b', '123456789'));
  outbox.event(message('c', 'üü'));
  expect(outbox.bytes).toBe(25);
  outbox.event(message('d', ''));
  expect(gone).toEqual(['123456789']);
  expect(outbox.bytes).toBe(16);
  outbox.state(message('led', 'x'.repeat(30)));
  expect(outbox).toMatchObject({ length: 0, bytes: 0, dropped: 5 });
});

test('an outbox without room keeps nothing, and counts', () => {
  const outbox = new Outbox({ events: 0, states: 0, bytes: 1e6 }, () => {});
  outbox.event(message('press', '1'));
  outbox.state(message('led', 'ON'));
  expect(outbox).toMatchObject({ length: 0, dropped: 2 });
  expect(outbox.take()).toBeUndefined();
});

/** The same by a plain list, which is looked through each time. */
class Plain {
  list: { kind: 'state' | 'event'; topic: string; payload: string }[] = [];
  readonly dropped: string[] = [];
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  add(kind: 'state' | 'event', topic: string, payload: string): void {
    const older = this.list.find((one) => kind === 'state' && one.kind === 'state' && one.topic === topic);
    if (older === undefined) this.list.push({ kind, topic, payload });
    else older.payload = payload;
    if (this.list.filter((one) => one.kind === kind).length > this.#room) {
      const oldest = this.list.findIndex((one) => one.kind === kind);
      this.dropped.push(...this.list.splice(oldest, 1).map((one) => one.payload));
    }
  }

  take(): string | undefined {
    const first = this.list.shift();
    return first === undefined ? undefined : `${first.topic}=${first.payload}`;
  }
}

test('any sequence of states, events and takings is as by a plain list', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('state' as const, 'event' as const), topic: fc.constantFrom('a', 'b', 'c') }),
    fc.constant(undefined),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat({ max: 5 }), (steps, room) => {
      const dropped: string[] = [];
      const outbox = new Outbox({ events: room, states: room, bytes: 1e9 }, ({ payload }) => dropped.push(payload));
      const plain = new Plain(room);
      for (const [i, one] of steps.entries()) {
        if (one === undefined) {
          const taken = outbox.take();
          expect(taken === undefined ? undefined : `${taken.topic}=${taken.payload}`).toBe(plain.take());
        } else {
          outbox[one.kind](message(one.topic, `${i}`));
          plain.add(one.kind, one.topic, `${i}`);
        }
        expect(outbox.length).toBe(plain.list.length);
      }
      expect(dropped).toEqual(plain.dropped);
      expect(outbox.dropped).toBe(dropped.length);
      drain(outbox);
      expect(outbox.bytes).toBe(0);
    }),
  );
});

test('taking from a long queue keeps its order', () => {
  const outbox = new Outbox({ events: 5000, states: 0, bytes: 1e9 }, () => {});
  for (let i = 0; i < 6000; i++) outbox.event(message('n', `${i}`));
  const taken = drain(outbox);
  expect(taken).toEqual(Array.from({ length: 5000 }, (_, i) => `n=${i + 1000}`));
});
