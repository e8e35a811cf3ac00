// Kernels by their release.
import { expect, it } from 'vitest';
import { skipsLinesWithoutDirection, wakesOnUnplug } from './release.js';

it.each([
  ['5.10.0-28-arm64', false],
  ['5.99.1', false],
  ['6.1.0-rpi7-rpi-v8', false],
  ['6.5.13', false],
  ['6.6.20+rpt-rpi-2712', true],
  ['6.12.47', true],
  ['7.0.0-rc1', true],
  ['', false],
  ['unknown', false],
])('a kernel %j wakes those who poll a chip that goes away: %s', (release, wakes) => {
  expect(wakesOnUnplug(release)).toBe(wakes);
});

it.each([
  ['6.9.12', false],
  ['6.10.0', true],
  ['6.12.47+rpt-rpi-v8', true],
  ['', false],
])('a kernel %j leaves lines alone that a new configuration gives no direction: %s', (release, skips) => {
  expect(skipsLinesWithoutDirection(release)).toBe(skips);
});
