// A GPIO chip of the kernel's gpio-sim, made and driven through configfs and sysfs (Documentation/admin-guide/gpio/gpio-sim.rst).
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONFIGFS = '/sys/kernel/config/gpio-sim';

/** A line that the kernel itself holds from the start, as a driver would. */
export interface Hog {
  /** Consumer name that others see. */
  readonly name: string;
  readonly direction: 'input' | 'output-high' | 'output-low';
}

/** What the chip looks like; see {@link createGpioSim}. */
export interface GpioSimOptions {
  /** 1 to 1024; default 54, as a BCM2835. */
  readonly lines?: number;
  /** Default `pinctrl-bcm2835`. */
  readonly label?: string;
  /** Line names by offset; default `GPIO0`, `GPIO1`, … for all. */
  readonly names?: Readonly<Record<number, string>>;
  readonly hogs?: Readonly<Record<number, Hog>>;
}

/** A chip made by {@link createGpioSim}: the outside of its lines, and its plug. */
export interface GpioSim {
  /** Kernel name, e.g. `gpiochip0`. */
  readonly chipName: string;
  /** Its device file. */
  readonly path: string;
  /** Path of a line's `pull` file, for those that write it themselves. */
  pullFile(offset: number): string;
  /** Drives a line from outside: an edge, if the line is a requested input and its level changes. */
  pull(offset: number, level: 0 | 1): void;
  /** Physical level of a line, whoever drives it. */
  value(offset: number): 0 | 1;
  /** Takes the chip away under its users. Idempotent. */
  unplug(): void;
  /** Puts it back; the kernel may give it another name: read {@link chipName} and {@link path} again. */
  plug(): void;
  /** Unplugs it and removes its configuration. Idempotent. */
  remove(): void;
}

let made = 0;

/**
 * Makes a chip and plugs it in. Needs root, configfs at /sys/kernel/config, and gpio-sim in the kernel.
 *
 * The kernel frees the hog of a line with its folder; {@link GpioSim.remove} leaves nothing behind.
 */
export function createGpioSim(options: GpioSimOptions = {}): GpioSim {
  if (!existsSync(CONFIGFS)) {
    throw new Error(`${CONFIGFS} is missing: run this in the test kernel, or "modprobe gpio-sim" as root`);
  }
  made += 1;
  const device = join(CONFIGFS, `irqd-${process.pid}-${made}`);
  const bank = join(device, 'bank');
  // Innermost last: removed in the opposite order.
  const folders = [device, bank];
  mkdirSync(device);
  mkdirSync(bank);
  const lines = options.lines ?? 54;
  writeFileSync(join(bank, 'num_lines'), String(lines));
  writeFileSync(join(bank, 'label'), options.label ?? 'pinctrl-bcm2835');
  for (let offset = 0; offset < lines; offset++) {
    const name = options.names === undefined ? `GPIO${offset}` : options.names[offset];
    const hog = options.hogs?.[offset];
    if (name === undefined && hog === undefined) continue;
    const line = join(bank, `line${offset}`);
    mkdirSync(line);
    folders.push(line);
    if (name !== undefined) writeFileSync(join(line, 'name'), name);
    if (hog === undefined) continue;
    const hogFolder = join(line, 'hog');
    mkdirSync(hogFolder);
    folders.push(hogFolder);
    writeFileSync(join(hogFolder, 'name'), hog.name);
    writeFileSync(join(hogFolder, 'direction'), hog.direction);
  }
  return new ConfigfsSim(device, bank, folders);
}

class ConfigfsSim implements GpioSim {
  chipName = '';
  readonly #device: string;
  readonly #bank: string;
  readonly #folders: readonly string[];
  #sysfs = '';
  #plugged = false;
  #removed = false;

  constructor(device: string, bank: string, folders: readonly string[]) {
    this.#device = device;
    this.#bank = bank;
    this.#folders = folders;
    this.plug();
  }

  get path(): string {
    return `/dev/${this.chipName}`;
  }

  pullFile(offset: number): string {
    return join(this.#sysfs, `sim_gpio${offset}`, 'pull');
  }

  pull(offset: number, level: 0 | 1): void {
    writeFileSync(this.pullFile(offset), level === 1 ? 'pull-up' : 'pull-down');
  }

  value(offset: number): 0 | 1 {
    return readFileSync(join(this.#sysfs, `sim_gpio${offset}`, 'value'), 'utf8').trim() === '1' ? 1 : 0;
  }

  plug(): void {
    if (this.#plugged) return;
    writeFileSync(join(this.#device, 'live'), '1');
    this.#plugged = true;
    this.chipName = readFileSync(join(this.#bank, 'chip_name'), 'utf8').trim();
    const deviceName = readFileSync(join(this.#device, 'dev_name'), 'utf8').trim();
    this.#sysfs = join('/sys/devices/platform', deviceName, this.chipName);
  }

  unplug(): void {
    if (!this.#plugged) return;
    writeFileSync(join(this.#device, 'live'), '0');
    this.#plugged = false;
  }

  remove(): void {
    if (this.#removed) return;
    this.unplug();
    for (const folder of [...this.#folders].reverse()) rmdirSync(folder);
    this.#removed = true;
  }
}
