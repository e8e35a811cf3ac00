// Packing of line configurations: what the kernel reads out of the words is what was asked for, line by line.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Level, LineConfig } from '../../kernel/gpio/driver.js';
import { failsWith } from '../../test/contract/backend.js';
import { ATTRIBUTE, ATTRIBUTES_MAX, FLAG, packLineConfig, unpackLineInfo } from './config.js';

/** Reads the words as gpiolib does: the first attribute of an id whose mask has the line, else the default. */
function asKernelReads(words: BigUint64Array, index: number): { flags: number; debounceUs: number; level: number } {
  const find = (id: number): bigint | undefined => {
    for (let at = 1; at < words.length; at += 3) {
      const mask = words[at + 2] ?? 0n;
      if (words[at] === BigInt(id) && ((mask >> BigInt(index)) & 1n) === 1n) return words[at + 1];
    }
    return undefined;
  };
  return {
    flags: Number(find(ATTRIBUTE.FLAGS) ?? words[0]),
    debounceUs: Number(find(ATTRIBUTE.DEBOUNCE) ?? 0n),
    level: Number(((find(ATTRIBUTE.OUTPUT_VALUES) ?? 0n) >> BigInt(index)) & 1n),
  };
}

const anyInput: fc.Arbitrary<LineConfig> = fc.record({
  offset: fc.constant(0),
  direction: fc.constant('in' as const),
  edge: fc.constantFrom('none' as const, 'both' as const),
  bias: fc.constantFrom('as-is' as const, 'pull-up' as const),
  debounceUs: fc.constantFrom(0, 1000, 5000),
});
const anyOutput: fc.Arbitrary<LineConfig> = fc.record({
  offset: fc.constant(0),
  direction: fc.constant('out' as const),
  activeLow: fc.boolean(),
  initial: fc.constantFrom<Level>(0, 1),
});

describe('packLineConfig', () => {
  it('gives every line its own flags, debounce and level, in at most ten attributes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyInput, anyOutput), { minLength: 1, maxLength: 64 }), (lines) => {
        const words = packLineConfig(
          lines,
          lines.map((line) => (line.initial === 1 ? 1 : 0)),
          'monotonic',
        );
        expect((words.length - 1) / 3).toBeLessThanOrEqual(ATTRIBUTES_MAX);
        lines.forEach((line, index) => {
          const read = asKernelReads(words, index);
          const info = unpackLineInfo({ offset: 0, name: '', consumer: '', ...read });
          expect(info.direction).toBe(line.direction);
          expect(info.edge).toBe(line.edge ?? 'none');
          expect(info.bias).toBe(line.bias ?? 'as-is');
          expect(info.activeLow).toBe(line.activeLow ?? false);
          expect(info.debounceUs).toBe(line.debounceUs ?? 0);
          expect(read.level).toBe(line.direction === 'out' ? line.initial : 0);
        });
      }),
    );
  });

  it('spends no attribute on lines that are alike, and none on outputs that are all 0', () => {
    const lines: LineConfig[] = Array.from({ length: 64 }, (_, offset) => ({ offset, direction: 'out' }));
    expect(
      packLineConfig(
        lines,
        lines.map(() => 0 as const),
        'monotonic',
      ),
    ).toEqual(BigUint64Array.of(BigInt(FLAG.OUTPUT)));
  });

  it('refuses an eleventh attribute with EINVAL and says how many it counted', () => {
    const lines: LineConfig[] = Array.from({ length: 11 }, (_, i) => ({
      offset: i,
      direction: 'in',
      debounceUs: 1 + i,
    }));
    const error = failsWith('EINVAL', () => packLineConfig(lines, [], 'monotonic'));
    expect(error.message).toContain('11 attributes');
  });

  it('asks for the wall clock only on lines with edges', () => {
    const lines: LineConfig[] = [
      { offset: 0, direction: 'in', edge: 'both' },
      { offset: 1, direction: 'out' },
    ];
    const words = packLineConfig(lines, [0, 0], 'realtime');
    expect(asKernelReads(words, 0).flags & FLAG.EVENT_CLOCK_REALTIME).not.toBe(0);
    expect(asKernelReads(words, 1).flags & FLAG.EVENT_CLOCK_REALTIME).toBe(0);
  });
});
