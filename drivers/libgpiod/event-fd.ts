// The descriptor on which the kernel reports a line's edges: libgpiod holds it, and the package does not give it away.
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { KernelError } from '../../kernel/errno.js';

/** What an event line's descriptor is linked to (anon_inode_getfile in gpiolib-cdev.c). */
const EVENT_LINK = 'anon_inode:gpio-event';
const DESCRIPTORS = '/proc/self/fd';

/** Descriptors of this process on which edges of GPIO lines come in. */
export function eventDescriptors(folder: string = DESCRIPTORS): ReadonlySet<number> {
  const found = new Set<number>();
  for (const name of readdirSync(folder)) if (isEvent(join(folder, name))) found.add(Number(name));
  return found;
}

/** The folder's own descriptor is among those that are listed, and closed again. */
function isEvent(path: string): boolean {
  try {
    return readlinkSync(path) === EVENT_LINK;
  } catch {
    return false;
  }
}

/**
 * Runs `request`, which takes a line for its edges, and gives the descriptor that it opened.
 *
 * @throws {KernelError} `EIO` when that is not exactly one: another thread took a line in the same moment. What `request`
 * throws passes through.
 */
export function openedBy(request: () => void, folder: string = DESCRIPTORS): number {
  const before = eventDescriptors(folder);
  request();
  const opened = [...eventDescriptors(folder)].filter((fd) => !before.has(fd));
  const [fd] = opened;
  if (fd === undefined || opened.length > 1) {
    throw new KernelError('EIO', `libgpiod opened ${opened.length} descriptors for the edges of a line`, {
      hint: 'let one thread of the process take lines at a time, or use driver: chardev',
    });
  }
  return fd;
}
