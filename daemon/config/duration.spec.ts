// Durations for people.

import { expect, it } from 'vitest';
import { formatApproximate, parseDuration } from './duration.js';

it.each([
  [0, '0s'],
  [0.4, '0s'],
  [1, '1ns'],
  [999, '999ns'],
  [1_500, '1.5us'],
  [80_000_000, '80ms'],
  [4_187_203_111, '4.187s'],
  [999_999_999, '1s'],
  [999_950, '1ms'],
  [12_345_678, '12.35ms'],
  [3_723_400_000_000, '3723s'],
  [86_399_400_000_000, '86399s'],
])('%d ns is shown as %s', (ns, text) => {
  expect(formatApproximate(ns)).toBe(text);
  expect(parseDuration(text)).toBeDefined();
});
