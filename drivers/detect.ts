// Which GPIO chips this machine has, which of them is the header, and which drivers can use it or why not.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KernelError } from '../kernel/errno.js';
import type { GpioChip } from '../kernel/gpio/driver.js';
import { loadAddon } from './chardev/addon.js';
import { openChardev } from './chardev/chardev.js';
import { loadLibgpiod } from './libgpiod/node-libgpiod.js';
import { probeSysfs } from './sysfs/sysfs.js';

/** Labels of the chip behind a Pi's 40-pin header: Pi 0 to 3, Pi 4, Pi 5. */
export const HEADER_LABELS: readonly string[] = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];

/** Where {@link detect} looks, and how it opens what it finds. */
export interface DetectSources {
  /** Default `/dev`. */
  readonly devDir: string;
  /** Default `/proc/device-tree/model`. */
  readonly modelFile: string;
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
  /** Why it did not open; `undefined` when it did. */
  readonly refused: Refusal | undefined;
}

/** A driver of this version, and why it cannot be used; `undefined` when it can. */
export interface DetectedDriver {
  /** As in the configuration. */
  readonly name: 'chardev' | DriverProbe['name'];
  readonly refused: Refusal | undefined;
}

/** What {@link detect} found. Plain data: this is `gpio-irqd detect --json`. */
export interface Detection {
  /** From the device tree, e.g. `Raspberry Pi 4 Model B Rev 1.4`; `undefined` on other machines. */
  readonly model: string | undefined;
  readonly chips: readonly DetectedChip[];
  readonly drivers: readonly DetectedDriver[];
}

const SYSTEM: DetectSources = {
  devDir: '/dev',
  modelFile: '/proc/device-tree/model',
  open: openChardev,
  probe: () => {
    loadAddon();
  },
  others: [
    { name: 'libgpiod', usesDevices: true, probe: () => loadLibgpiod() },
    { name: 'onoff', usesDevices: false, probe: () => probeSysfs() },
  ],
};

/** Looks at this machine. Opens each chip for a moment, and takes no line. */
export function detect(sources: Partial<DetectSources> = {}): Detection {
  const from: DetectSources = { ...SYSTEM, ...sources };
  const addon = refusalOf(from.probe);
  const { names, aliases } = findDevices(from.devDir);
  const chips = names.map((name) => inspect(from, name, aliases.get(name) ?? []));
  const refused = driverRefusal(addon, chips);
  const others = from.others.map(({ name, usesDevices, probe }) => ({
    name,
    refused: refusalOf(probe) ?? (usesDevices ? refused : undefined),
  }));
  return { model: readModel(from.modelFile), chips, drivers: [{ name: 'chardev', refused }, ...others] };
}

/** Device files by number, and the links to each. */
function findDevices(devDir: string): { names: string[]; aliases: Map<string, string[]> } {
  const names: string[] = [];
  const aliases = new Map<string, string[]>();
  for (const name of readdirSync(devDir)) {
    if (!/^gpiochip\d+$/.test(name)) continue;
    const path = join(devDir, name);
    if (!lstatSync(path).isSymbolicLink()) {
      names.push(name);
      continue;
    }
    const target = basename(readlinkSync(path));
    aliases.set(target, [...(aliases.get(target) ?? []), name]);
  }
  names.sort((a, b) => Number(a.slice('gpiochip'.length)) - Number(b.slice('gpiochip'.length)));
  return { names, aliases };
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
  return { name, path, label, lines, aliases, header: label !== undefined && HEADER_LABELS.includes(label), refused };
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

/** The device tree ends its strings with a NUL. */
function readModel(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\0+$/, '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

/** The report of `gpio-irqd detect` for people. Ends with a line feed. */
export function formatDetection({ model, chips, drivers }: Detection): string {
  const out = [`machine: ${model ?? 'not a device-tree machine'}`, chips.length === 0 ? 'chips: none' : 'chips:'];
  for (const chip of chips) {
    const links = chip.aliases.length === 0 ? '' : `, also ${chip.aliases.join(', ')}`;
    if (chip.refused === undefined) {
      out.push(`  ${chip.name} [${chip.label}] ${chip.lines} lines${chip.header ? ', the header' : ''}${links}`);
    } else {
      out.push(`  ${chip.name}${links}: cannot be opened: ${chip.refused.message}`);
      if (chip.refused.hint !== undefined) out.push(`    ${chip.refused.hint}`);
    }
  }
  out.push('drivers:');
  for (const { name, refused } of drivers) {
    out.push(refused === undefined ? `  ${name}: can be used` : `  ${name}: cannot be used: ${refused.message}`);
    if (refused?.hint !== undefined) out.push(`    ${refused.hint}`);
  }
  return `${out.join('\n')}\n`;
}
