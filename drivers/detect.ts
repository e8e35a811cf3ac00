// Which GPIO chips this machine has, which of them is the header, who has its lines, and which drivers can be used or why not.
import { readdirSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { KernelError } from '../kernel/errno.js';
import type { GpioChip } from '../kernel/gpio/driver.js';
import { loadAddon } from './chardev/addon.js';
import { openChardev } from './chardev/chardev.js';
import { type AccessSources, accessOf, type DeviceAccess, mayUse } from './detect/access.js';
import { readCompatible, readModel, readPinUsers } from './detect/device-tree.js';
import { type Conflict, findConflicts, type HeaderLine, readHeader } from './detect/header.js';
import { loadLibgpiod } from './libgpiod/node-libgpiod.js';
import { probeSysfs } from './sysfs/sysfs.js';

/** Labels of the chip behind a Pi's 40-pin header: Pi 0 to 3, Pi 4, Pi 5. */
export const HEADER_LABELS: readonly string[] = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];

/** Where {@link detect} looks, and how it opens what it finds. */
export interface DetectSources {
  /** Default `/dev`. */
  readonly devDir: string;
  /** Default `/sys/firmware/devicetree/base`, which is /proc/device-tree without /proc. */
  readonly deviceTree: string;
  /** Who asks. */
  readonly access: AccessSources;
  /** Default {@link openChardev}. */
  readonly open: (path: string) => GpioChip;
  /** Throws the reason why the chardev driver cannot work at all; default: loads the native addon. */
  readonly probe: () => void;
  /** The drivers next to chardev; each `probe` throws the reason why it cannot work. Default: loads their packages. */
  readonly others: readonly DriverProbe[];
}

/** How to find out whether a driver can be used. */
export interface DriverProbe {
  readonly name: 'libgpiod' | 'onoff';
  /** It opens the same device files as chardev, so what stands in the way of chardev does so here too. */
  readonly usesDevices: boolean;
  readonly probe: () => void;
}

/** Why something cannot be used. */
export interface Refusal {
  /** Symbolic, e.g. `EACCES`. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** A chip that was found. */
export interface DetectedChip {
  /** Name of the device file, e.g. `gpiochip0`. */
  readonly name: string;
  readonly path: string;
  /** `undefined` with {@link lines} when it did not open. */
  readonly label: string | undefined;
  readonly lines: number | undefined;
  /** Other device files that are links to this one (Pi OS links gpiochip4 to gpiochip0 on a Pi 5). */
  readonly aliases: readonly string[];
  /** Its label is one of {@link HEADER_LABELS}. */
  readonly header: boolean;
  /** Who may open it; `undefined` when the device file went away meanwhile. */
  readonly access: DeviceAccess | undefined;
  /** Why it did not open; `undefined` when it did. */
  readonly refused: Refusal | undefined;
}

/** A driver of this version, and why it cannot be used; `undefined` when it can. */
export interface DetectedDriver {
  /** As in the configuration. */
  readonly name: 'chardev' | DriverProbe['name'];
  readonly refused: Refusal | undefined;
}

/** The header of a Pi. */
export interface DetectedHeader {
  /** Name of its chip. */
  readonly chip: string;
  /** GPIO0 to GPIO27. */
  readonly lines: readonly HeaderLine[];
  readonly conflicts: readonly Conflict[];
}

/** What {@link detect} found. Plain data: {@link detectionJson} makes `gpio-irqd detect --json` of it. */
export interface Detection {
  /** Version of this structure: it changes when something is renamed or taken away, not when something is added. */
  readonly schema: 1;
  /** From the device tree, e.g. `Raspberry Pi 4 Model B Rev 1.4`; `undefined` on other machines. */
  readonly model: string | undefined;
  /** From the device tree, e.g. `raspberrypi,4-model-b`, `brcm,bcm2711`; empty on other machines. */
  readonly compatible: readonly string[];
  readonly chips: readonly DetectedChip[];
  /** `undefined` when there is no header chip that opens, or more than one. */
  readonly header: DetectedHeader | undefined;
  readonly drivers: readonly DetectedDriver[];
}

/** This process; asked for late, since {@link userInfo} throws for a user without a name. */
function thisUser(): AccessSources {
  return { etcDir: '/etc', user: userName(), groups: process.getgroups?.() ?? [], mayUse };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

const SYSTEM: Omit<DetectSources, 'access'> = {
  devDir: '/dev',
  deviceTree: '/sys/firmware/devicetree/base',
  open: openChardev,
  probe: () => {
    loadAddon();
  },
  others: [
    { name: 'libgpiod', usesDevices: true, probe: () => loadLibgpiod() },
    { name: 'onoff', usesDevices: false, probe: () => probeSysfs() },
  ],
};

/** The chips of this machine. Opens each for a moment. */
export function findChips(sources: Partial<DetectSources> = {}): DetectedChip[] {
  const from: DetectSources = { access: thisUser(), ...SYSTEM, ...sources };
  const { names, aliases } = findDevices(from.devDir);
  return names.map((name) => inspect(from, name, aliases.get(name) ?? []));
}

/** Looks at this machine. Opens each chip for a moment, and takes no line. */
export function detect(sources: Partial<DetectSources> = {}): Detection {
  const from: DetectSources = { access: thisUser(), ...SYSTEM, ...sources };
  const addon = refusalOf(from.probe);
  const chips = findChips(from);
  const refused = driverRefusal(addon, chips);
  const others = from.others.map(({ name, usesDevices, probe }) => ({
    name,
    refused: refusalOf(probe) ?? (usesDevices ? refused : undefined),
  }));
  const model = readModel(from.deviceTree);
  return {
    schema: 1,
    model,
    compatible: readCompatible(from.deviceTree),
    chips,
    header: inspectHeader(from, chips, model),
    drivers: [{ name: 'chardev', refused }, ...others],
  };
}

/** As JSON on one line, in which nothing is left out: what is not known is null. */
export function detectionJson(detection: Detection): string {
  return JSON.stringify(detection, (_, value: unknown) => (value === undefined ? null : value));
}

function inspectHeader(
  { open, deviceTree }: DetectSources,
  chips: readonly DetectedChip[],
  model: string | undefined,
): DetectedHeader | undefined {
  const [found, another] = chips.filter((chip) => chip.header);
  if (found === undefined || another !== undefined) return undefined;
  const users = readPinUsers(deviceTree);
  let lines: readonly HeaderLine[] = [];
  const refused = refusalOf(() => {
    const chip = open(found.path);
    try {
      lines = readHeader(chip, model, users);
    } finally {
      chip.close();
    }
  });
  return refused === undefined ? { chip: found.name, lines, conflicts: findConflicts(lines, users) } : undefined;
}

/** Device files by number, and the links to each. */
function findDevices(devDir: string): { names: string[]; aliases: Map<string, string[]> } {
  const names: string[] = [];
  const aliases = new Map<string, string[]>();
  for (const entry of readdirSync(devDir, { withFileTypes: true })) {
    const { name } = entry;
    if (!/^gpiochip\d+$/.test(name)) continue;
    if (!entry.isSymbolicLink()) {
      names.push(name);
      continue;
    }
    const target = linkTarget(join(devDir, name));
    if (target !== undefined) aliases.set(target, [...(aliases.get(target) ?? []), name]);
  }
  names.sort((a, b) => Number(a.slice('gpiochip'.length)) - Number(b.slice('gpiochip'.length)));
  return { names, aliases };
}

/** Name of the file that a link leads to; undefined when the link went away meanwhile. */
function linkTarget(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch {
    return undefined;
  }
}

function inspect(from: DetectSources, name: string, aliases: readonly string[]): DetectedChip {
  const path = join(from.devDir, name);
  let label: string | undefined;
  let lines: number | undefined;
  const refused = refusalOf(() => {
    const chip = from.open(path);
    ({ label, lines } = chip.info);
    chip.close();
  });
  const header = label !== undefined && HEADER_LABELS.includes(label);
  return { name, path, label, lines, aliases, header, access: accessOf(path, from.access), refused };
}

function driverRefusal(addon: Refusal | undefined, chips: readonly DetectedChip[]): Refusal | undefined {
  if (addon !== undefined) return addon;
  if (chips.length === 0) {
    return {
      code: 'ENOENT',
      message: 'this machine has no GPIO chip',
      hint: 'on a Pi: check that the kernel has its pinctrl driver; in a container: pass /dev/gpiochip0 in',
    };
  }
  return chips.some((chip) => chip.refused === undefined) ? undefined : chips[0]?.refused;
}

function refusalOf(action: () => void): Refusal | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
}
