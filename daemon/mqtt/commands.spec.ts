import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCommand } from './commands.js';

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
