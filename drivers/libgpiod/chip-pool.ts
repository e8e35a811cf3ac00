// Chips that node-libgpiod has opened. They are kept for as long as the process runs, and opened once each.
import { statSync } from 'node:fs';
import { KernelError } from '../../kernel/errno.js';
import { thrownError } from '../refusals.js';
import type { NativeChip, NativeLine, NodeLibgpiod } from './node-libgpiod.js';

/** A chip with all its lines, by offset. */
export interface OpenedChip {
  readonly chip: NativeChip;
  readonly lines: readonly NativeLine[];
}

/**
 * The package frees a chip and its lines when they are collected, in any order; a line that goes after its chip is used
 * after it was freed, and one that could not be made ends the process when it is collected. So all lines are made at once,
 * while the chip is known to be there, and nothing is ever collected. A chip that was unplugged keeps a descriptor.
 */
const opened: { readonly path: string; readonly device: string; readonly chip: OpenedChip }[] = [];

/**
 * The chip behind a device file, opened now or before. The file must be that of a chip that is there.
 *
 * @throws {KernelError} what the system answers.
 */
export function openPooled(libgpiod: NodeLibgpiod, path: string): OpenedChip {
  try {
    const { dev, ino, rdev, ctimeMs } = statSync(path);
    const device = [dev, ino, rdev, ctimeMs].join(' ');
    const before = opened.find((entry) => entry.path === path && entry.device === device && isThere(entry.chip));
    if (before !== undefined) return before.chip;
    const chip = new libgpiod.Chip(path);
    const entry = { path, device, chip: { chip, lines: allLines(chip) } };
    opened.push(entry);
    return entry.chip;
  } catch (error) {
    throw thrownError(`libgpiod: open ${path}`, error, undefined, path);
  }
}

function allLines(chip: NativeChip): NativeLine[] {
  return Array.from({ length: chip.numberOfLines }, (_, offset) => chip.getLine(offset));
}

function isThere({ lines }: OpenedChip): boolean {
  try {
    lines[0]?.update();
    return true;
  } catch {
    return false;
  }
}

/** The line of a chip; `EINVAL` for an offset that it does not have. */
export function pooledLine({ lines }: OpenedChip, offset: number): NativeLine {
  const line = lines[offset];
  if (line === undefined) throw new KernelError('EINVAL', `no line ${offset}`);
  return line;
}
