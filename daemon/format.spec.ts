// What people are shown of lines and events.
import { expect, it } from 'vitest';
import type { LineStatus, StormStatus } from './control/target.js';
import { formatEvent, formatLines } from './format.js';

const LINE: LineStatus = {
  name: 'meter',
  gpio: 17,
  direction: 'in',
  value: 0,
  activeLow: false,
  edge: 'rising',
  bias: 'pull-up',
  drive: 'push-pull',
  debounceNs: 0,
  rising: 12,
  falling: 0,
  lost: 0,
  dropped: 0,
};
const STORM: StormStatus = { throttled: false, storms: 1, throttles: 2, throttledNs: 3e8, leftOut: 345 };

it('the table of lines has a column for the storm guard when a line has one', () => {
  expect(formatLines({ lines: [LINE] })).not.toContain('LEFT OUT');
  const text = formatLines({
    lines: [LINE, { ...LINE, storm: STORM }, { ...LINE, storm: { ...STORM, throttled: true } }],
  });
  expect(text.split('\n').map((line) => line.slice(line.indexOf('  12') + 4).trim())).toEqual([
    expect.stringMatching(/LOST {2}LEFT OUT$/),
    expect.stringMatching(/ 0 {2}-$/),
    expect.stringMatching(/ 0 {2}345$/),
    expect.stringMatching(/ 0 {2}345 \(storm\)$/),
    '',
  ]);
});

it('the table of lines has a column for the chip when a line is on another than the file’s own', () => {
  expect(formatLines({ lines: [LINE] })).not.toContain('CHIP');
  const text = formatLines({ lines: [LINE, { ...LINE, chip: 'expander' }] });
  expect(text).toMatch(/^NAME +CHIP +GPIO .*\nmeter +- +17 .*\nmeter +expander +17 /);
});

it('below the table of lines is what is held besides, and until when', () => {
  const parked = [
    { gpio: 18, name: 'bell', until: ['meter'] },
    { gpio: 3, chip: 'expander', until: ['far1', 'far2'] },
  ];
  expect(
    formatLines({ lines: [LINE], parked })
      .split('\n')
      .slice(2),
  ).toEqual([
    '',
    'GPIO18 (bell) is removed, and held until meter is let go too',
    'GPIO3 (on expander) is removed, and held until far1, far2 are let go too',
    '',
  ]);
});

it('a storm is two events', () => {
  const begins = { type: 'storm', atNs: 1.5e9, line: 'meter', phase: 'begins' } as const;
  expect(formatEvent(begins)).toBe('      1.500000  storm    meter: begins');
  const counts = { throttles: 2, throttledNs: 3e8, leftOut: 345 };
  expect(formatEvent({ ...begins, ...counts, phase: 'ends' })).toBe(
    '      1.500000  storm    meter: is over, 345 edges left out',
  );
});

it('a chip that goes and comes back, and a line that is waited for, are events with their reason', () => {
  const at = { atNs: 1.5e9 } as const;
  expect(
    [
      formatEvent({ ...at, type: 'chip', phase: 'gone', message: 'lines of gpiochip0: ENODEV' }),
      formatEvent({ ...at, type: 'chip', phase: 'back', name: 'gpiochip1' }),
      formatEvent({ ...at, type: 'chip', chip: 'expander', phase: 'back', name: 'gpiochip2' }),
      formatEvent({ ...at, type: 'line', line: 'led', phase: 'waiting', waitingFor: "held by 'w1-gpio'" }),
      formatEvent({ ...at, type: 'line', line: 'led', phase: 'held' }),
    ].map((text) => text.slice('      1.500000  '.length)),
  ).toEqual([
    'chip     gone: lines of gpiochip0: ENODEV',
    'chip     back, as gpiochip1',
    'chip     expander: back, as gpiochip2',
    "line     led: waits: held by 'w1-gpio'",
    'line     led: held',
  ]);
});
