// sd_notify(3) and sd_notify_barrier(3), by the package's addon: Node has no datagrams of unix sockets.
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { packageRootOf } from './package-root.js';

/** Messages to one service manager. Results are 0, or the negative number of the system's error. */
export interface SdNotify {
  /** `sd_pid_notify_with_fds()`: sent when it returns. */
  notify(state: string, fds: readonly number[]): number;
  /** `sd_notify_barrier()`: resolves when the manager has taken in what was sent before, or with `ETIMEDOUT`. */
  barrier(timeoutMs: number): Promise<number>;
}

/** What the addon has for it; systemd/addon/notify.h tells of the arguments and errors. */
interface NotifyAddon {
  notify(address: string, state: string, fds: readonly number[]): number;
  notifyBarrier(address: string): number;
}

/**
 * Loads the addon.
 *
 * @param address where the manager listens, as `NOTIFY_SOCKET` has it
 * @throws {Error} when it was not built, or for another machine
 */
export function loadSdNotify(address: string): SdNotify {
  const root = packageRootOf(import.meta.url);
  if (root === undefined) throw new Error('there is no gpio-irqd package here');
  const addon = createRequire(import.meta.url)('node-gyp-build')(root) as NotifyAddon;
  return {
    notify: (state, fds) => addon.notify(address, state, fds),
    barrier: async (timeoutMs) => {
      const fd = addon.notifyBarrier(address);
      return fd < 0 ? fd : ended(fd, timeoutMs);
    },
  };
}

/** Waits until nobody can write to a pipe any more, and closes it. */
function ended(fd: number, timeoutMs: number): Promise<number> {
  return new Promise((resolve) => {
    let result = 0;
    const pipe = new Socket({ fd, readable: true, writable: false });
    const timer = setTimeout(() => {
      result = -constants.errno.ETIMEDOUT;
      pipe.destroy();
    }, timeoutMs);
    pipe.once('close', () => {
      clearTimeout(timer);
      resolve(result);
    });
    pipe.resume();
  });
}
