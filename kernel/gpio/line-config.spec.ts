// Checks of line requests: what a consumer is cut to, and how a mistake names its place.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failsWith } from '../../test/contract/backend.js';
import type { LineConfig } from './driver.js';
import { checkLines, cutConsumer, eventBufferEntries, linesInOrder } from './line-config.js';

describe('cutConsumer', () => {
  it('keeps the longest run of whole characters that has at most 31 bytes', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝄞', '\ud800'), maxLength: 40 });
    fc.assert(
      fc.property(text, (consumer) => {
        const cut = cutConsumer(consumer);
        expect(consumer.startsWith(cut)).toBe(true);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(31);
        const [next = ''] = consumer.slice(cut.length);
        if (next !== '') expect(Buffer.byteLength(cut + next)).toBeGreaterThan(31);
      }),
    );
  });
});

describe('checkLines', () => {
  it('names the line and the value, and what would be right', () => {
    const bad = { offset: 3, direction: 'in', bias: 'up' } as unknown as LineConfig;
    const error = failsWith('EINVAL', () => checkLines([bad], 54));
    expect(error.message).toBe("line 3: bias cannot be 'up'");
    expect(error.hint).toBe('use one of: as-is, disabled, pull-up, pull-down');
  });

  it('refuses an initial level that is none of 0, 1 and keep', () => {
    const bad = { offset: 3, direction: 'out', initial: true } as unknown as LineConfig;
    expect(failsWith('EINVAL', () => checkLines([bad], 54)).message).toBe("line 3: initial cannot be 'true'");
  });
});

describe('eventBufferEntries', () => {
  it('rounds up to a power of two, as a kfifo does', () => {
    expect([1, 2, 3, 100, 1024].map(eventBufferEntries)).toEqual([1, 2, 4, 128, 1024]);
  });
});

describe('linesInOrder', () => {
  const line = (offset: number): LineConfig => ({ offset, direction: 'in' });

  it('gives the lines in the order of the request', () => {
    const ordered = linesInOrder([9, 2, 5], [line(2), line(5), line(9)]);
    expect(ordered.map(({ offset }) => offset)).toEqual([9, 2, 5]);
  });

  it('refuses a line too many, one too few, and another one', () => {
    for (const offsets of [
      [2, 5, 9, 10],
      [2, 5],
      [2, 5, 8],
    ]) {
      failsWith('EINVAL', () => linesInOrder([9, 2, 5], offsets.map(line)));
    }
  });
});
