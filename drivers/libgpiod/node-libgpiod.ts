// The npm package node-libgpiod, as far as the libgpiod driver uses it, and how it is loaded: it is optional.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import type { Level } from '../../kernel/gpio/driver.js';

/** `Line` of the package. Its functions throw system errors; the properties are as {@link update} found them. */
export interface NativeLine {
  readonly name: string | undefined;
  readonly consumer: string | undefined;
  /** One of {@link DIRECTION}. */
  readonly direction: number;
  /** One of {@link ACTIVE_STATE}. */
  readonly activeState: number;
  /** One of {@link BIAS}. */
  readonly bias: number;
  readonly used: boolean;
  readonly openDrain: boolean;
  readonly openSource: boolean;
  update(): void;
  getValue(): Level;
  setValue(value: Level): void;
  requestInputModeFlags(consumer: string, flags: number): void;
  requestOutputModeFlags(consumer: string, flags: number, initial: Level): void;
  requestRisingEdgeEventFlags(consumer: string, flags: number): void;
  requestFallingEdgeEventFlags(consumer: string, flags: number): void;
  requestBothEdgesEventFlags(consumer: string, flags: number): void;
  /** Lets it go; nothing when it is not held. */
  release(): void;
}

/** `Chip` of the package. It has no close. */
export interface NativeChip {
  readonly numberOfLines: number;
  getLine(offset: number): NativeLine;
}

/** The package. */
export interface NodeLibgpiod {
  readonly Chip: new (path: string) => NativeChip;
}

/** GPIOD_LINE_DIRECTION_*. */
export const DIRECTION = { INPUT: 1, OUTPUT: 2 } as const;
/** GPIOD_LINE_ACTIVE_STATE_*. */
export const ACTIVE_STATE = { HIGH: 1, LOW: 2 } as const;
/** GPIOD_LINE_BIAS_*. */
export const BIAS = { AS_IS: 1, DISABLE: 2, PULL_UP: 3, PULL_DOWN: 4 } as const;
/** GPIOD_LINE_REQUEST_FLAG_*. */
export const FLAG = {
  OPEN_DRAIN: 1 << 0,
  OPEN_SOURCE: 1 << 1,
  ACTIVE_LOW: 1 << 2,
  BIAS_DISABLE: 1 << 3,
  BIAS_PULL_DOWN: 1 << 4,
  BIAS_PULL_UP: 1 << 5,
} as const;

/** Where distributions put libraries; folders in them are those of an architecture. */
const LIBRARY_DIRS: readonly string[] = ['/usr/lib', '/lib', '/usr/local/lib'];

/** How {@link loadLibgpiod} does it. */
export interface LoadSources {
  /** Default: Node's `require`. */
  readonly require: (name: string) => unknown;
  /** Folders to look for libgpiod itself in, when the package does not load. */
  readonly libraryDirs: readonly string[];
}

/**
 * Loads node-libgpiod.
 *
 * @throws {KernelError} `ENOTSUP` when this is not Linux, `ENOSYS` when the package was not built; the hint says whether that
 * is for want of libgpiod, or because libgpiod 2 is installed, which the package does not know.
 */
export function loadLibgpiod(sources: Partial<LoadSources> = {}): NodeLibgpiod {
  if (process.platform !== 'linux') {
    throw new KernelError('ENOTSUP', `the libgpiod driver needs Linux; this is ${process.platform}`, {
      hint: 'use the simulated chip here',
    });
  }
  const { require = createRequire(import.meta.url), libraryDirs = LIBRARY_DIRS } = sources;
  try {
    return require('node-libgpiod') as NodeLibgpiod;
  } catch (cause) {
    const { problem, hint } = explain(installedMajors(libraryDirs));
    throw new KernelError('ENOSYS', `the package node-libgpiod of the libgpiod driver cannot be loaded: ${problem}`, {
      hint,
      subject: 'node-libgpiod',
      cause,
    });
  }
}

/** Major versions of libgpiod on this machine: libgpiod.so.2 is that of 1.x, libgpiod.so.3 that of 2.x. */
function installedMajors(dirs: readonly string[]): ReadonlySet<number> {
  const majors = new Set<number>();
  const look = (dir: string): string[] => {
    try {
      return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
        const version = /^libgpiod\.so\.(\d+)$/.exec(entry.name)?.[1];
        if (version !== undefined) majors.add(Number(version) - 1);
        return entry.isDirectory() && entry.name.includes('-linux-') ? [join(dir, entry.name)] : [];
      });
    } catch {
      return [];
    }
  };
  for (const dir of dirs) for (const inner of look(dir)) look(inner);
  return majors;
}

function explain(majors: ReadonlySet<number>): { problem: string; hint: string } {
  if (majors.has(1)) {
    return {
      problem: 'it is not there, or not built for this Node',
      hint: 'build it with "npm install node-libgpiod" (it needs libgpiod-dev 1.x and a C++ compiler), or use driver: chardev',
    };
  }
  if (majors.has(2)) {
    return {
      problem: 'libgpiod 2 is installed, and the package needs libgpiod 1.x',
      hint: 'use driver: chardev, which needs no library',
    };
  }
  return {
    problem: 'libgpiod is not installed',
    hint: 'install libgpiod-dev 1.x and then node-libgpiod again, or use driver: chardev, which needs no library',
  };
}
