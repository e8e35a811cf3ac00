// The small words of configuration: durations, suggestions, placeholders.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.js';
import { editDistance, nearest } from './suggest.js';
import { isTemplate, parseTemplate, renderTemplate } from './template.js';

describe('a duration', () => {
  it.each([
    ['5ms', 5_000_000],
    ['200us', 200_000],
    ['200µs', 200_000],
    ['2s', 2_000_000_000],
    ['0s', 0],
    ['17ns', 17],
    ['1.5ms', 1_500_000],
    ['0.07ms', 70_000],
    ['2 s', 2_000_000_000],
    ['10min', 600_000_000_000],
    ['1.5h', 5_400_000_000_000],
  ])('%s is %d ns', (text, ns) => expect(parseDuration(text)).toBe(ns));

  it.each([
    '',
    '5',
    'ms',
    '-5ms',
    '5m',
    '1d',
    '5MS',
    '1e3ms',
    '.5ms',
    '5ms ',
    ' 5ms',
    '0.5ns',
    '1.0000000001s',
    `${'9'.repeat(15)}s`,
  ])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());

  it('reads back as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ns) => {
        // Up to 15 digits are read; in nanoseconds that is eleven days.
        fc.pre(ns < 1e15);
        expect(parseDuration(formatDuration(ns))).toBe(ns);
      }),
    );
  });
});

describe('a suggestion', () => {
  it.each([
    ['pul-up', 'pull-up'],
    ['PULL_DOWN', 'pull-down'],
    ['input', 'in'],
    ['pull', 'pull-up'],
    ['lup-pull', undefined],
    ['', undefined],
    ['x', undefined],
  ])('for %j is %j', (wrong, right) => expect(nearest(wrong, ['in', 'out', 'pull-up', 'pull-down'])).toBe(right));

  it('is by a distance that is one: zero for equals, symmetric, at most the longer length', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('counts two swapped neighbours as one edit', () => expect(editDistance('flaling', 'falling')).toBe(1));
});

describe('a text with placeholders', () => {
  const values = { line: 'b1', gpio: 17, name: 'n', edge: 'rising', value: 1, timestamp: 5, since_last: '-', seqno: 9 };
  const fill = (text: string): string | undefined => {
    const template = parseTemplate(text);
    return isTemplate(template) ? renderTemplate(template, values) : undefined;
  };

  it.each([
    ['{line} {edge} {seqno}!', 'b1 rising 9!'],
    ['', ''],
    ['{{line}}', '{line}'],
    ['{{{line}}}', '{b1}'],
    ['no {nope}', undefined],
    ['{toString}', undefined],
    ['{', undefined],
    ['}', undefined],
    ['{}', undefined],
  ])('%j becomes %j', (text, filled) => expect(fill(text)).toBe(filled));

  it('keeps any text whose braces are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(fill(text.replaceAll('{', '{{').replaceAll('}', '}}'))).toBe(text);
      }),
    );
  });
});
