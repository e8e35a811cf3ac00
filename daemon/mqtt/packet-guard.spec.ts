import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { expect, test } from 'vitest';
import { PacketGuard } from './packet-guard.js';

function publish(size: number): Buffer {
  return mqttPacket.generate({
    cmd: 'publish',
    topic: 'a',
    payload: Buffer.alloc(size),
    qos: 0,
    retain: false,
    dup: false,
  });
}

/** Cuts a buffer at the given places. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, i) => whole.subarray(at[i], end));
}

test('packets up to the limit pass, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 20_000 }), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (sizes, places) => {
        const guard = new PacketGuard(20_003);
        const whole = Buffer.concat([...sizes.map(publish), mqttPacket.generate({ cmd: 'pingresp' })]);
        expect(cut(whole, places).every((chunk) => guard.allows(chunk))).toBe(true);
      },
    ),
  );
});

test('a packet beyond the limit is refused by its first bytes', () => {
  const guard = new PacketGuard(20_000);
  expect(guard.allows(publish(10))).toBe(true);
  expect(guard.allows(publish(20_000).subarray(0, 4))).toBe(false);
});

test('a length that does not end is refused', () => {
  const guard = new PacketGuard(2 ** 40);
  expect(guard.allows(Uint8Array.of(0x30, 0x80, 0x80, 0x80))).toBe(true);
  expect(guard.allows(Uint8Array.of(0x80))).toBe(false);
});
