// Memory that outlives the process which writes to it, for as long as somebody keeps its descriptor.
import { closeSync } from 'node:fs';
import { loadAddon } from './addon.js';
import { systemError } from './errors.js';

/** Memory of a fixed size, and the descriptor that another process maps it by; its maker closes that. */
export interface SharedMemory {
  readonly fd: number;
  readonly buffer: ArrayBuffer;
}

/**
 * Makes memory of zeros.
 *
 * @param name as `/proc/PID/fd` shows it, at most 63 bytes
 * @param bytes 1 to 1 MiB
 * @throws {KernelError} `EMFILE`, `ENOMEM`, or `EPERM` where a filter of system calls forbids memfd_create.
 */
export function createSharedMemory(name: string, bytes: number): SharedMemory {
  const fd = loadAddon().createMemory(name, bytes);
  if (fd < 0) throw systemError('memfd_create', fd);
  try {
    return { fd, buffer: mapSharedMemory(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Maps memory that {@link createSharedMemory} made, here or elsewhere. `EINVAL` or `EBADF` for another descriptor. */
export function mapSharedMemory(fd: number): ArrayBuffer {
  const buffer = loadAddon().mapMemory(fd);
  if (typeof buffer === 'number') throw systemError('mapping of kept memory', buffer);
  return buffer;
}
