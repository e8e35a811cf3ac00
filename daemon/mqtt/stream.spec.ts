import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import mqttPacket from 'mqtt-packet';
import { expect, test } from 'vitest';
import { PiecedStream } from './stream.js';

/** The stream below, as the test has it: what it is to read, and who takes what is written. */
class Raw extends Duplex {
  reads = 0;
  taken: (() => void)[] = [];
  next: () => Buffer | null = () => null;

  constructor() {
    super({ readableHighWaterMark: 65_536, writableHighWaterMark: 1024 });
  }

  override _read(): void {
    this.reads++;
    setImmediate(() => this.push(this.next()));
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken.push(done);
  }
}

function rig() {
  const raw = new Raw();
  return { raw, stream: new PiecedStream(raw) };
}

const ping = mqttPacket.generate({ cmd: 'pingresp' });

test('what comes in one piece is handed on in small ones, whole and in order', async () => {
  const { raw, stream } = rig();
  const packet = { cmd: 'publish', topic: 'a', qos: 0, retain: false, dup: false } as const;
  const packets = Array.from({ length: 5000 }, (_, i) => mqttPacket.generate({ ...packet, payload: `${i}` }));
  const whole = Buffer.concat(packets);
  raw.next = () => {
    raw.next = () => null;
    return whole;
  };
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  await once(stream, 'end');
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(4096);
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
});

test('who does not read on is handed no more', async () => {
  const { raw, stream } = rig();
  const many = Buffer.concat(Array.from({ length: 30_000 }, () => ping));
  raw.next = () => many;
  stream.pause();
  for (let i = 0; i < 100; i++) await turn();
  expect(raw.reads).toBeLessThan(5);
  stream.resume();
  for (let i = 0; i < 100; i++) await turn();
  expect(raw.reads).toBeGreaterThan(5);
  stream.destroy();
});

test('who does not take what is written holds the writer up', async () => {
  const { raw, stream } = rig();
  let written = 0;
  for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(1000), () => written++);
  for (let i = 0; i < 10; i++) await turn();
  expect(written).toBeLessThan(100);
  while (written < 100) {
    for (const done of raw.taken.splice(0)) done();
    await turn();
  }
});

test('an end or an error of either side is one of both', async () => {
  const { raw, stream } = rig();
  const errors: Error[] = [];
  stream.on('error', (error) => errors.push(error));
  raw.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
  await turn();
  expect(errors).toMatchObject([{ message: 'cut', code: 'ECONNRESET' }]);
  expect(stream.destroyed).toBe(true);
  const other = rig();
  other.stream.destroy();
  expect(other.raw.destroyed).toBe(true);
});
