// GPIO chips as sysfs shows them: /sys/class/gpio/gpiochipN with label, base and number of lines.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import { thrownError } from '../refusals.js';

/** Where {@link findSysfsChips} looks. */
export interface SysfsFolders {
  /** Default `/sys/class/gpio`. */
  readonly classDir: string;
  /** Default `/sys/bus/gpio/devices`. */
  readonly devicesDir: string;
}

/** A chip of {@link findSysfsChips}. */
export interface SysfsChipInfo {
  /** Kernel name, e.g. `gpiochip0`; sysfs's own (`gpiochip512`) where that cannot be told. */
  readonly name: string;
  readonly label: string;
  readonly lines: number;
  /** Number of its first line in sysfs: 0 on old kernels, 512 or more since Linux 6.6, another one after each plug. */
  readonly base: number;
  /** Its folder. */
  readonly dir: string;
  /** Inode of the folder: another one when the chip went away and came back. */
  readonly inode: number;
}

const SYSTEM: SysfsFolders = { classDir: '/sys/class/gpio', devicesDir: '/sys/bus/gpio/devices' };
const CHIP = /^gpiochip(\d+)$/;

/**
 * The chips of this machine by number of their first line.
 *
 * @throws {KernelError} `ENOENT` when this kernel has no GPIO in sysfs.
 */
export function findSysfsChips(folders: Partial<SysfsFolders> = {}): SysfsChipInfo[] {
  const { classDir, devicesDir } = { ...SYSTEM, ...folders };
  const names = chipNames(classDir);
  const parents = new Map(names.map((name) => [name, parentOf(join(classDir, name))]));
  const devices = kernelNames(devicesDir);
  const chips: SysfsChipInfo[] = [];
  for (const name of names) {
    const parent = parents.get(name) ?? '';
    const siblings = [...parents.values()].filter((other) => other === parent).length;
    const fitting = devices.filter((device) => device.parent === parent || device.path === parent);
    const [device] = fitting;
    const known = siblings === 1 && fitting.length === 1 ? device?.name : undefined;
    const chip = readChip(join(classDir, name), known ?? name);
    if (chip !== undefined) chips.push(chip);
  }
  return chips.sort((a, b) => a.base - b.base);
}

/** The chip with a kernel name. Throws `ENOENT`, also when sysfs does not tell which of several it is. */
export function sysfsChipNamed(name: string, folders: Partial<SysfsFolders> = {}): SysfsChipInfo {
  const chips = findSysfsChips(folders);
  const chip = chips.find((candidate) => candidate.name === name);
  if (chip !== undefined) return chip;
  const others = chips.map((other) => `label:${other.label}`).join(', ');
  throw new KernelError('ENOENT', `no chip ${name} in sysfs`, {
    hint: others === '' ? 'sysfs has no GPIO chip' : `name one by its label: ${others}`,
    subject: name,
  });
}

function chipNames(classDir: string): string[] {
  try {
    return readdirSync(classDir).filter((name) => CHIP.test(name));
  } catch (error) {
    throw thrownError(
      'this kernel has no GPIO in sysfs',
      error,
      'it is built without CONFIG_GPIO_SYSFS, as those of newer systems are; use driver: chardev',
      classDir,
    );
  }
}

/** Chips by kernel name, and the device that each belongs to. */
function kernelNames(devicesDir: string): { name: string; path: string; parent: string }[] {
  let names: string[];
  try {
    names = readdirSync(devicesDir);
  } catch {
    // Kernels before 4.6 have no such folder: their chips keep the names of sysfs.
    return [];
  }
  return names
    .filter((name) => CHIP.test(name))
    .flatMap((name) => {
      const path = resolved(join(devicesDir, name));
      return path === undefined ? [] : [{ name: basename(path), path, parent: dirname(path) }];
    });
}

/** The device above a chip; a folder that nothing else has when it has none. */
function parentOf(dir: string): string {
  return resolved(join(dir, 'device')) ?? dir;
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** `undefined` when the chip went away meanwhile. */
function readChip(dir: string, name: string): SysfsChipInfo | undefined {
  const read = (file: string): string => readFileSync(join(dir, file), 'utf8').trim();
  try {
    const { ino } = statSync(dir);
    return { name, label: read('label'), lines: Number(read('ngpio')), base: Number(read('base')), dir, inode: ino };
  } catch {
    return undefined;
  }
}
