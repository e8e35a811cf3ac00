import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thrownBy } from '../irq/fake-line.spec-helper.js';
import { cpulistParse, cpulistPr, cpumaskAll, cpumaskParse, cpumaskPr } from './cpumask.js';

const EIGHT = 8;
const masks = fc.integer({ min: 0, max: 255 });

function codeOf(fn: () => unknown): unknown {
  return Object(thrownBy(fn)).code;
}

describe('a mask in hexadecimal', () => {
  it.each([
    [1, 1, '1'],
    [0, 1, '0'],
    [0x5, 4, '5'],
    [0x5, 5, '05'],
    [0xff, 8, 'ff'],
  ])('%i of %i CPUs is shown as %s', (mask, bits, text) => expect(cpumaskPr(mask, bits)).toBe(text));

  it.each([
    ['3', 3],
    ['F\n', 15],
    ['  0003  ', 3],
    ['3,', 3],
    [',,3', 3],
    ['', 0],
    [',', 0],
    ['\n', 0],
    ['3\nignored', 3],
    ['00000003', 3],
    // The kernel does not look at what stands before eight digits.
    ['x00000003', 3],
  ])('%j is read', (text, mask) => expect(cpumaskParse(text, EIGHT)).toBe(mask));

  it.each([
    ['zz', 'EINVAL'],
    ['0x3', 'EINVAL'],
    ['-1', 'EINVAL'],
    ['3 x', 'EINVAL'],
    ['100', 'EOVERFLOW'],
    ['000000003', 'EOVERFLOW'],
    ['0,3', 'EOVERFLOW'],
    ['3 0', 'EOVERFLOW'],
  ])('%j is refused with %s', (text, code) => expect(codeOf(() => cpumaskParse(text, EIGHT))).toBe(code));

  it('reads what it shows', () => {
    fc.assert(fc.property(masks, (mask) => cpumaskParse(`${cpumaskPr(mask, EIGHT)}\n`, EIGHT) === mask));
  });
});

describe('a list of CPUs', () => {
  it.each([
    [0, ''],
    [1, '0'],
    [0b1101, '0,2-3'],
    [0b11, '0-1'],
    [0xff, '0-7'],
    [0b1010_1010, '1,3,5,7'],
  ])('%i is shown as %j', (mask, text) => expect(cpulistPr(mask)).toBe(text));

  it.each([
    ['0', 1],
    ['0,2-3\n', 0b1101],
    [' 1 , 3\t', 0b1010],
    ['all', 0xff],
    ['ALL:1/2', 0b0101_0101],
    ['N', 0x80],
    ['6-N', 0xc0],
    ['0-7:2/4', 0b0011_0011],
    ['1-6:1/3', 0b0001_0010],
    ['0-3:0/2', 0],
    ['', 0],
    [',,', 0],
    ['2-2', 4],
  ])('%j is read', (text, mask) => expect(cpulistParse(text, EIGHT)).toBe(mask));

  it.each([
    ['x', 'EINVAL'],
    ['3-1', 'EINVAL'],
    ['1-', 'EINVAL'],
    ['-1', 'EINVAL'],
    ['1:2', 'EINVAL'],
    ['0-3:1', 'EINVAL'],
    ['0-3:1/0', 'EINVAL'],
    ['0-3:3/2', 'EINVAL'],
    ['allx', 'EINVAL'],
    ['1.5', 'EINVAL'],
    ['8', 'ERANGE'],
    ['0-8', 'ERANGE'],
    ['4294967296', 'EOVERFLOW'],
    ['99999999999999999999', 'EOVERFLOW'],
  ])('%j is refused with %s', (text, code) => expect(codeOf(() => cpulistParse(text, EIGHT))).toBe(code));

  it('reads what it shows', () => {
    fc.assert(fc.property(masks, (mask) => cpulistParse(cpulistPr(mask), EIGHT) === mask));
  });

  it('is read or refused, whatever it is, and never has a CPU that is not there', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789-,:/Nal \n'), maxLength: 12 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: EIGHT }), (list, bits) => {
        const thrown = thrownBy(() => expect(cpulistParse(list, bits) & ~cpumaskAll(bits)).toBe(0));
        if (thrown !== undefined) expect(['EINVAL', 'ERANGE', 'EOVERFLOW']).toContain(Object(thrown).code);
      }),
      { numRuns: 1000 },
    );
  });
});
