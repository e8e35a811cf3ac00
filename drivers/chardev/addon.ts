// The native addon: what it exports (drivers/chardev/addon/addon.c), and how it is found and loaded.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KernelError } from '../../kernel/errno.js';

declare const handleOf: unique symbol;
/** An open chip; an opaque object of the addon. */
export type ChipHandle = { readonly [handleOf]: 'chip' };
/** A line request; an opaque object of the addon. */
export type RequestHandle = { readonly [handleOf]: 'request' };
/** A duplicate of a descriptor that somebody else opened; an opaque object of the addon. */
export type PolledHandle = { readonly [handleOf]: 'polled' };
/** 0, or a negative error number. */
export type Status = number;

/** struct gpio_v2_line_info with its debounce attribute. */
export interface RawLineInfo {
  readonly offset: number;
  readonly name: string;
  readonly consumer: string;
  readonly flags: number;
  readonly debounceUs: number;
}

/** struct gpio_v2_line_info_changed. */
export interface RawInfoChange {
  readonly type: number;
  readonly timestampNs: bigint;
  readonly info: RawLineInfo;
}

/** The addon's functions: one ioctl each. What the system refuses comes back as a negative error number. */
export interface ChardevAddon {
  openChip(path: string): ChipHandle | Status;
  chipInfo(chip: ChipHandle): { name: string; label: string; lines: number } | Status;
  /** `watch`: also starts change records for the line on this chip handle (`EBUSY` when watched already). */
  lineInfo(chip: ChipHandle, offset: number, watch: boolean): RawLineInfo | Status;
  unwatch(chip: ChipHandle, offset: number): Status;
  /** Record `index` of the line info changes that {@link listen} has put into `buffer`. */
  infoChange(buffer: ArrayBuffer, index: number): RawInfoChange;
  /** `config` as packed by `packLineConfig`. */
  requestLines(
    chip: ChipHandle,
    offsets: Uint32Array,
    consumer: string,
    config: BigUint64Array,
    eventBufferSize: number,
  ): RequestHandle | Status;
  setConfig(request: RequestHandle, config: BigUint64Array): Status;
  /** `words`: bits low, bits high, mask low, mask high; bit i is the i-th line of the request. Fills in the bits. */
  getValues(request: RequestHandle, words: Uint32Array): Status;
  setValues(request: RequestHandle, words: Uint32Array): Status;
  /** The descriptor of an open chip or request, which goes on owning it; `-EBADF` when it is closed. */
  descriptor(handle: ChipHandle | RequestHandle): number | Status;
  /**
   * Duplicates a request's descriptor that another process had. `EINVAL` or `ENOTTY` when `fd` is none, or one of another
   * number of `lines`; `ENODEV` when its chip is gone.
   */
  adoptRequest(fd: number, lines: number): RequestHandle | Status;
  /** A memfd of `bytes` zeros (1 to 1 MiB) whose size is sealed; its descriptor, close-on-exec. */
  createMemory(name: string, bytes: number): number | Status;
  /** Maps such a memfd, shared, until the buffer is collected. `EINVAL` when `fd` is another kind of file. */
  mapMemory(fd: number): ArrayBuffer | Status;
  /** Duplicates a descriptor that gives records of `recordBytes` bytes, for {@link listen}. It becomes non-blocking. */
  pollFd(fd: number, recordBytes: number): PolledHandle | Status;
  /**
   * Calls `callback(count, 0)` after `count` records were read into `buffer`, and `callback(0, errno)` once when the
   * descriptor failed for good. Reads nothing, and does not keep the event loop alive, until {@link setReading}.
   */
  listen(
    handle: ChipHandle | RequestHandle | PolledHandle,
    buffer: ArrayBuffer,
    callback: (count: number, errno: number) => void,
  ): Status;
  setReading(handle: ChipHandle | RequestHandle | PolledHandle, on: boolean): Status;
  /** Lets go at once. Idempotent; every call on the handle answers `EBADF` afterwards. */
  close(handle: ChipHandle | RequestHandle | PolledHandle): void;
}

let loaded: ChardevAddon | undefined;

/**
 * Loads the addon, once in each thread.
 *
 * @throws {KernelError} `ENOTSUP` when this is not Linux, `ENOSYS` when the addon was not built.
 */
export function loadAddon(): ChardevAddon {
  if (loaded === undefined) {
    if (process.platform !== 'linux') {
      throw new KernelError('ENOTSUP', `the chardev driver needs Linux; this is ${process.platform}`, {
        hint: 'use the simulated chip here',
      });
    }
    const root = packageRoot();
    try {
      loaded = createRequire(import.meta.url)('node-gyp-build')(root) as ChardevAddon;
    } catch (cause) {
      throw new KernelError('ENOSYS', 'the native addon of the chardev driver cannot be loaded', {
        hint: `build it with "npm rebuild" in ${root} (it needs a C compiler, make and Python)`,
        subject: root,
        cause,
      });
    }
  }
  return loaded;
}

/** The folder with binding.gyp: two levels up in the sources, three in `dist/`. */
function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  let folder = start;
  while (!existsSync(join(folder, 'binding.gyp'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new KernelError('ENOENT', `no binding.gyp above ${start}`, { hint: 'install the package again' });
    }
    folder = parent;
  }
  return folder;
}
