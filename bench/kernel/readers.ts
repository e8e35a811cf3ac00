// Who is measured.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reader } from './session.js';

export const C = 'C, epoll';
export const C_LOOP = 'C, epoll, two clock reads before `read`';
export const CHARDEV = 'gpio-irqd, chardev driver alone';
export const TOP_HALF = 'gpio-irqd, chardev, top half';
export const LIBGPIOD = 'gpio-irqd, libgpiod, top half';
export const SYSFS = 'gpio-irqd, onoff (sysfs), top half';
export const ONOFF = 'onoff itself';
export const GPIOMON = '`gpiomon`, piped into Node';

const node = (file: string): string[] => [process.execPath, fileURLToPath(new URL(file, import.meta.url))];

/** In the order of the tables. */
export function readersIn(programs: string): readonly Reader[] {
  const epoll = [join(programs, 'epoll-reader')];
  const topHalf = node('top-half-reader.js');
  return [
    { name: C, command: epoll },
    { name: C_LOOP, command: epoll, more: '2' },
    { name: CHARDEV, command: node('chardev-reader.js') },
    { name: TOP_HALF, command: topHalf },
    { name: LIBGPIOD, command: topHalf, more: 'libgpiod' },
    { name: SYSFS, command: topHalf, more: 'onoff' },
    { name: ONOFF, command: node('onoff-reader.js') },
    { name: GPIOMON, command: node('gpiomon-reader.js') },
  ];
}
