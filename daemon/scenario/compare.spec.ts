// Comparing traces: equal ones are equal, others part where they part, and neither needs to fit into memory.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareTraces } from './compare.js';

const lines = (text: string): string[] => text.split(' ');

describe('compareTraces', () => {
  it('shows what is missing, what is new and what is other, each with what stands before', () => {
    const { text, differences, equal } = compareTraces(
      lines('a b c d e f g h i j k'),
      lines('a c d e x y g h i j k z'),
    );
    expect(equal).toBe(false);
    expect(differences).toBe(3);
    expect(text).toBe(
      [
        '@@ line 2 of the expected trace, line 2 of this one',
        '  a',
        '- b',
        '@@ line 6 of the expected trace, line 5 of this one',
        '  c',
        '  d',
        '  e',
        '- f',
        '+ x',
        '+ y',
        '@@ line 12 of the expected trace, line 12 of this one',
        '  i',
        '  j',
        '  k',
        '+ z',
        '',
      ].join('\n'),
    );
  });

  it('finds traces equal exactly when they are', () => {
    const trace = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
    fc.assert(
      fc.property(trace, trace, (one, other) => {
        expect(compareTraces(one, one)).toMatchObject({ equal: true, differences: 0, text: '', lines: one.length });
        expect(compareTraces(one, other).equal).toBe(one.join() === other.join());
      }),
    );
  });

  it('leaves nothing of a short difference out: what is taken away and put in gives the other trace', () => {
    const trace = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(trace, fc.nat(19), fc.constantFrom('x', 'y'), (one, at, line) => {
        const i = at % one.length;
        const other = [...one.slice(0, i), line, ...one.slice(i + 1)];
        const { text } = compareTraces(one, other);
        expect(text).toContain(`- ${one[i]}\n`);
        expect(text).toContain(`+ ${line}\n`);
      }),
    );
  });

  it('keeps a window of long traces that have nothing in common, and shows the beginning', () => {
    function* numbered(what: string, count: number): Generator<string> {
      for (let i = 0; i < count; i++) yield `${what} ${i}`;
    }
    const { text, differences } = compareTraces(numbered('a', 20_000), numbered('b', 20_000));
    expect(differences).toBeGreaterThan(10);
    expect(text.split('\n').length).toBeLessThan(1_000);
    expect(text).toMatch(/\.\.\. and \d+ more differences\n$/);
  });
});
