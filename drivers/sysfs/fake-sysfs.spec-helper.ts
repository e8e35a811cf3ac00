// A made-up /sys/class/gpio for specs, and an onoff that works on it: files as the kernel's, without a kernel behind them.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Edge, Level } from '../../kernel/gpio/driver.js';
import type { Onoff, OnoffGpio } from './onoff.js';
import type { SysfsSources } from './sysfs.js';

/** What {@link FakeSysfs.chip} makes. */
export interface FakeChip {
  /** Kernel name, e.g. `gpiochip0`. */
  readonly name: string;
  readonly label: string;
  readonly base: number;
  readonly lines: number;
  /** Folder of the device that it belongs to, under `devices`. */
  readonly parent?: string;
}

/** See {@link fakeSysfs}. It is what `openSysfs` takes as its sources. */
export interface FakeSysfs extends SysfsSources {
  chip(chip: FakeChip): void;
  /** Takes a chip away, with its exported lines. */
  remove(base: number): void;
  /** What onoff's file access answers at the next export. */
  failNext(error: Error): void;
  /** Exported lines by number. */
  readonly exported: Map<number, FakeGpio>;
}

/** A line of the made-up onoff, from outside. */
export interface FakeGpio extends OnoffGpio {
  readonly options: { readonly direction: string; readonly edge: Edge | undefined; readonly activeLow: boolean };
  /** Wakes it as an edge does. */
  wake(): void;
  readonly watched: boolean;
  level: number;
  gone: boolean;
}

/** Node's error of a failed system call. */
export function systemFailure(code: string, errno: number, path: string): Error {
  return Object.assign(new Error(`${code}: made up, open '${path}'`), { code, errno: -errno, path });
}

/** Makes an empty one in a folder. */
export function fakeSysfs(root: string): FakeSysfs {
  const classDir = join(root, 'class');
  const devicesDir = join(root, 'bus');
  mkdirSync(classDir);
  mkdirSync(devicesDir);
  const exported = new Map<number, FakeGpio>();
  let failure: Error | undefined;
  let buried = 0;
  /** Kept elsewhere: a deleted folder's inode would be given to the next one, which sysfs does not do. */
  const bury = (dir: string): void => {
    buried += 1;
    renameSync(dir, join(root, `buried-${buried}`));
  };

  class Gpio implements FakeGpio {
    readonly options: FakeGpio['options'];
    level = 0;
    gone = false;
    readonly #number: number;
    readonly #listeners: ((error: unknown, value: number) => void)[] = [];

    constructor(number: number, direction: string, edge: Edge | undefined, options: { readonly activeLow: boolean }) {
      if (failure !== undefined) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      this.#number = number;
      this.options = { direction, edge, activeLow: options.activeLow };
      mkdirSync(this.#dir);
      this.setDirection(direction);
      this.setEdge(edge ?? 'none');
      this.setActiveLow(options.activeLow);
      exported.set(number, this);
    }

    get #dir(): string {
      return join(classDir, `gpio${this.#number}`);
    }

    get watched(): boolean {
      return this.#listeners.length > 0;
    }

    readSync(): number {
      if (this.gone) throw systemFailure('ENODEV', 19, this.#dir);
      return this.level;
    }

    writeSync(value: Level): void {
      if (this.gone) throw systemFailure('ENODEV', 19, this.#dir);
      this.level = value;
    }

    watch(callback: (error: unknown, value: number) => void): void {
      this.#listeners.push(callback);
    }

    unwatchAll(): void {
      this.#listeners.length = 0;
    }

    wake(): void {
      const value = this.readSync();
      for (const listener of [...this.#listeners]) if (value === 0 || value === 1) listener(null, value);
    }

    setDirection(direction: string): void {
      writeFileSync(join(this.#dir, 'direction'), direction === 'in' ? 'in\n' : 'out\n');
      if (direction !== 'in') this.level = direction === 'high' ? 1 : 0;
    }

    setEdge(edge: Edge): void {
      writeFileSync(join(this.#dir, 'edge'), `${edge}\n`);
    }

    setActiveLow(activeLow: boolean): void {
      writeFileSync(join(this.#dir, 'active_low'), activeLow ? '1\n' : '0\n');
    }

    unexport(): void {
      this.unwatchAll();
      exported.delete(this.#number);
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }

  return {
    classDir,
    devicesDir,
    exported,
    load: (): Onoff => ({ Gpio }),
    chip({ name, label, base, lines, parent }) {
      const above = join(root, 'devices', parent ?? 'virtual');
      const device = join(above, name);
      mkdirSync(device, { recursive: true });
      if (!existsSync(join(devicesDir, name))) symlinkSync(device, join(devicesDir, name));
      const dir = join(classDir, `gpiochip${base}`);
      mkdirSync(dir);
      symlinkSync(parent === undefined ? device : above, join(dir, 'device'));
      writeFileSync(join(dir, 'label'), `${label}\n`);
      writeFileSync(join(dir, 'base'), `${base}\n`);
      writeFileSync(join(dir, 'ngpio'), `${lines}\n`);
    },
    remove(base) {
      const lines = Number(readFileSync(join(classDir, `gpiochip${base}`, 'ngpio'), 'utf8'));
      bury(join(classDir, `gpiochip${base}`));
      for (const [number, gpio] of exported) {
        if (number < base || number >= base + lines) continue;
        gpio.gone = true;
        bury(join(classDir, `gpio${number}`));
      }
    },
    failNext(error) {
      failure = error;
    },
  };
}
