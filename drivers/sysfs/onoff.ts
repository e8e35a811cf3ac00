// The npm package onoff, as far as the sysfs driver uses it, and how it is loaded: it is optional.
import { createRequire } from 'node:module';
import { KernelError } from '../../kernel/errno.js';
import type { Edge, Level } from '../../kernel/gpio/driver.js';

/** An exported line: `Gpio` of onoff. */
export interface OnoffGpio {
  /** The descriptor of its value; onoff gives no way to close it that does not unexport the number. */
  readonly _valueFd?: number;
  /** Logical level. onoff calls this, on the object, whenever an edge wakes it. */
  readSync(): number;
  writeSync(value: Level): void;
  /** Calls `callback` with the level after an edge of the kind that the line has, read when the callback's turn comes. */
  watch(callback: (error: unknown, value: number) => void): void;
  unwatchAll(): void;
  /** `high` and `low`: an output that begins with this physical level. */
  setDirection(direction: 'in' | 'high' | 'low'): void;
  setEdge(edge: Edge): void;
  setActiveLow(activeLow: boolean): void;
  /** Closes the line and takes it back from sysfs; what the kernel says to that is not told. */
  unexport(): void;
}

/** The package. */
export interface Onoff {
  /** Exports line `number` (of sysfs) and configures it. Throws Node's errors of file access. */
  readonly Gpio: new (
    number: number,
    direction: 'in' | 'high' | 'low',
    edge: Edge | undefined,
    options: { readonly activeLow: boolean },
  ) => OnoffGpio;
}

/**
 * Loads onoff.
 *
 * @throws {KernelError} `ENOTSUP` when this is not Linux, `ENOSYS` when the package is not there or was not built.
 */
export function loadOnoff(): Onoff {
  if (process.platform !== 'linux') {
    throw new KernelError('ENOTSUP', `the sysfs driver needs Linux; this is ${process.platform}`, {
      hint: 'use the simulated chip here',
    });
  }
  try {
    return createRequire(import.meta.url)('onoff') as Onoff;
  } catch (cause) {
    throw new KernelError('ENOSYS', 'the package onoff of the sysfs driver is not there, or not built for this Node', {
      hint: 'install it with "npm install onoff" (it needs a C++ compiler, make and Python), or use driver: chardev',
      subject: 'onoff',
      cause,
    });
  }
}
