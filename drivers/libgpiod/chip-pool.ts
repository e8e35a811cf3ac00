// Chips that node-libgpiod has opened: each once, and kept for as long as it is plugged in.
import { statSync } from 'node:fs';
import { KernelError } from '../../kernel/errno.js';
import { openChardev } from '../chardev/chardev.js';
import { thrownError } from '../refusals.js';
import type { NativeChip, NativeLine, NodeLibgpiod } from './node-libgpiod.js';

/** A chip with all its lines, by offset. While it is referenced, its descriptor stays open. */
export interface OpenedChip {
  readonly chip: NativeChip;
  readonly lines: readonly NativeLine[];
}

/** By device number. The kernel gives no other chip the number of one that we hold open. */
const opened = new Map<number, OpenedChip>();
/** Lines of all chips that were ever opened, so that they are never collected. */
const kept: (readonly NativeLine[])[] = [];

/**
 * The chip behind a device file, opened now or before. The file must be that of a chip that is there.
 *
 * The package has no close: it frees a chip, and each of its lines, when that is collected. A line that is collected after
 * its chip is used after it was freed, and one that could not be made ends the process when it is collected. So all lines
 * are made at once, while the chip is known to be there, and none of them is ever collected.
 *
 * @throws {KernelError} what the system answers.
 */
export function openPooled(libgpiod: NodeLibgpiod, path: string): OpenedChip {
  try {
    const { rdev: device } = statSync(path);
    const before = opened.get(device);
    if (before !== undefined) return before;
    const chip = new libgpiod.Chip(path);
    const lines: NativeLine[] = [];
    kept.push(lines);
    for (let offset = 0; offset < chip.numberOfLines; offset++) lines.push(chip.getLine(offset));
    const entry = { chip, lines };
    watch(device, path);
    opened.set(device, entry);
    return entry;
  } catch (error) {
    throw thrownError(`libgpiod: open ${path}`, error, undefined, path);
  }
}

/**
 * Lets go of a chip when it is gone, whether or not anybody still uses it. Its descriptor is closed, and its number free for
 * other chips, once nobody does and JavaScript has collected it.
 */
function watch(device: number, path: string): void {
  const plug = openChardev(path);
  plug.onGone(() => {
    opened.delete(device);
    plug.close();
  });
}

/** The line of a chip; `EINVAL` for an offset that it does not have. */
export function pooledLine({ lines }: OpenedChip, offset: number): NativeLine {
  const line = lines[offset];
  if (line === undefined) throw new KernelError('EINVAL', `no line ${offset}`);
  return line;
}
