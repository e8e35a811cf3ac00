// Opens the chip that a configuration names, with the driver that it names.
import { join } from 'node:path';
import { KernelError } from '../kernel/errno.js';
import type { ChipInfo, GpioChip } from '../kernel/gpio/driver.js';
import { openChardev } from './chardev/chardev.js';
import { type DetectedChip, type DetectSources, findChips, HEADER_LABELS } from './detect.js';
import { openLibgpiod } from './libgpiod/libgpiod.js';
import { findSysfsChips } from './sysfs/chips.js';
import { openSysfs, openSysfsChip, type SysfsSources } from './sysfs/sysfs.js';

/**
 * `chardev`, `libgpiod` (node-libgpiod) and `onoff` (sysfs) are drivers; `hardware` is the best of them, chardev; `auto` is the
 * same, unless there is no chip at all.
 */
export type HardwareDriver = 'auto' | 'hardware' | 'chardev' | 'libgpiod' | 'onoff';

/** Which chip: the one behind the header, one by kernel name (`gpiochip0`), or one by label (`pinctrl-rp1`). */
export type ChipChoice =
  | { readonly by: 'auto' }
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'label'; readonly label: string };

/** What to open; see {@link openDriver}. */
export interface OpenDriverOptions {
  /** Default `hardware`. */
  readonly driver?: HardwareDriver;
  /** A choice, or its text: `auto`, `gpiochipN` or `label:NAME`. Default `auto`. */
  readonly chip?: ChipChoice | string;
}

/** How {@link openDriver} looks for chips, and opens them. */
export interface OpenSources extends DetectSources {
  /** Default {@link openLibgpiod}. */
  readonly openLibgpiod: (path: string) => GpioChip;
  /** Where sysfs is, and onoff. */
  readonly sysfs: Partial<SysfsSources>;
}

/**
 * Opens a chip. `undefined` only with `auto` on a machine that has no GPIO chip: the caller may simulate then, and says so.
 * A chip that exists and cannot be used is an error, never a reason to simulate or to take another driver.
 *
 * @throws {KernelError} `EINVAL` (`chip` is no chip's name), `ENOENT` (no such chip, or no header), `EEXIST` (several
 * chips fit), and what {@link openChardev}, {@link openLibgpiod} or {@link openSysfs} throws.
 */
export function openDriver(
  options: OpenDriverOptions & { readonly driver?: Exclude<HardwareDriver, 'auto'> },
  sources?: Partial<OpenSources>,
): GpioChip;
export function openDriver(options: OpenDriverOptions, sources?: Partial<OpenSources>): GpioChip | undefined;
export function openDriver(options: OpenDriverOptions, sources: Partial<OpenSources> = {}): GpioChip | undefined {
  const { driver = 'hardware', chip = 'auto' } = options;
  const choice = parseChoice(chip);
  if (driver === 'onoff') return openInSysfs(choice, sources.sysfs);
  const open = driver === 'libgpiod' ? (sources.openLibgpiod ?? openLibgpiod) : (sources.open ?? openChardev);
  const find = (): readonly DetectedChip[] => findChips(sources);
  if (driver === 'auto' && find().length === 0) return undefined;
  if (choice.by === 'name') return open(join(sources.devDir ?? '/dev', choice.name));
  return open(choose(find(), choice).path);
}

/**
 * Opens a chip that was gone, under whatever name it has now: the one with its label, or, where several have that, the one
 * that has its name as well. Errors as {@link openDriver}.
 */
export function reopenDriver(
  driver: Exclude<HardwareDriver, 'auto'>,
  { name, label }: Pick<ChipInfo, 'name' | 'label'>,
  sources: Partial<OpenSources> = {},
): GpioChip {
  try {
    return openDriver({ driver, chip: { by: 'label', label } }, sources);
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'EEXIST') throw error;
    const chip = openDriver({ driver, chip: { by: 'name', name } }, sources);
    if (chip.info.label === label) return chip;
    chip.close();
    throw error;
  }
}

/** Whether the machine has any GPIO chip that the driver could be asked for. */
export function hasChips(driver: Exclude<HardwareDriver, 'auto'>, sources: Partial<OpenSources> = {}): boolean {
  return (driver === 'onoff' ? findSysfsChips(sources.sysfs) : findChips(sources)).length > 0;
}

/** sysfs shows chips also where there is no device file, and knows them by label. */
function openInSysfs(choice: ChipChoice, sources: Partial<SysfsSources> = {}): GpioChip {
  if (choice.by === 'name') return openSysfs(choice.name, sources);
  const chips = findSysfsChips(sources).map((chip) => ({
    name: chip.name,
    label: chip.label,
    header: HEADER_LABELS.includes(chip.label),
    refused: undefined,
    chip,
  }));
  return openSysfsChip(choose(chips, choice).chip, sources);
}

function parseChoice(chip: ChipChoice | string): ChipChoice {
  const choice = typeof chip === 'string' ? choiceOf(chip) : chip;
  if (choice.by !== 'name' || /^gpiochip\d+$/.test(choice.name)) return choice;
  throw new KernelError('EINVAL', `chip '${choice.name}' is not a chip's name`, {
    hint: 'use auto, gpiochip0, or label:pinctrl-bcm2835',
    subject: choice.name,
  });
}

function choiceOf(text: string): ChipChoice {
  if (text === 'auto') return { by: 'auto' };
  const label = /^label:(.+)$/.exec(text)?.[1];
  return label === undefined ? { by: 'name', name: text } : { by: 'label', label };
}

type Candidate = Pick<DetectedChip, 'name' | 'label' | 'header' | 'refused'>;

/** The one chip that has the label, or is the header. */
function choose<T extends Candidate>(found: readonly T[], choice: ChipChoice): T {
  const label = choice.by === 'label' ? choice.label : undefined;
  const wish = label === undefined ? 'auto' : `label:${label}`;
  const fitting = found.filter((chip) => (label === undefined ? chip.header : chip.label === label));
  const [chip] = fitting;
  if (chip !== undefined && fitting.length === 1) return chip;
  const what = label === undefined ? 'header chip' : `chip labelled '${label}'`;
  if (chip !== undefined) {
    throw new KernelError('EEXIST', `more than one ${what}: ${fitting.map(({ name }) => name).join(', ')}`, {
      hint: `name one, e.g. chip: ${chip.name}`,
      subject: wish,
    });
  }
  throw notFound(found, what, wish);
}

/** A chip that did not open may be the one: its own error then says more than "not found". */
function notFound(found: readonly Candidate[], what: string, wish: string): KernelError {
  const closed = found.find(({ refused }) => refused !== undefined)?.refused;
  if (closed !== undefined) {
    const code = closed.code === 'EACCES' ? 'EACCES' : 'ENOENT';
    return new KernelError(code, `no ${what} among the chips that open: ${closed.message}`, {
      ...(closed.hint === undefined ? {} : { hint: closed.hint }),
      subject: wish,
    });
  }
  const others = found.map(({ name, label }) => `${name} [${label}]`).join(', ');
  return new KernelError('ENOENT', `no ${what} on this machine`, {
    hint: others === '' ? 'this machine has no GPIO chip; simulate with driver: sim' : `name one of: ${others}`,
    subject: wish,
  });
}
