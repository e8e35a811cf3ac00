import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCommand } from './commands.js';
import { RateLimit } from './rate-limit.js';

test.each([
  ['ON', 1],
  ['on', 1],
  ['1', 1],
  [' Off\n', 0],
  ['0', 0],
  ['toggle', 'toggle'],
  ['', undefined],
  ['true', undefined],
  ['ON ON', undefined],
  ['constructor', undefined],
  ['ON'.padEnd(17), undefined],
])('%j is the command %j', (payload, command) => {
  expect(parseCommand(Buffer.from(payload))).toBe(command);
});

test('no payload is more than a command or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
      expect([0, 1, 'toggle', undefined]).toContain(parseCommand(payload));
    }),
  );
});

test('of whatever comes, no more is let through than the rate and the burst allow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 200 }), (gaps) => {
      let now = 0;
      const limit = new RateLimit(50, 10, () => now);
      let taken = 0;
      for (const gap of gaps) {
        now += gap;
        if (limit.take()) taken++;
        expect(taken).toBeLessThanOrEqual(10 + (now * 50) / 1000 + 1e-6);
      }
      expect(taken + limit.refused).toBe(gaps.length);
    }),
  );
});
