// What the process before has left for this one, and whether this one leaves its lines to the next.
import type { InheritedFd } from '../systemd/listen-fds.js';
import type { Notifier } from '../systemd/notify.js';
import type { KeptLines, KeptLog } from './bridge/kept-lines.js';
import type { DriverChoice } from './config/config.js';

/** The drivers whose lines can be passed on as descriptors. */
const KEEPING: readonly DriverChoice[] = ['auto', 'hardware', 'chardev'];

/**
 * Opens the service manager's store of lines. What is in it for another driver is let go of: it has, when this resolves.
 *
 * @returns undefined where nothing is kept: outside a service manager, or by another driver
 */
export async function openKeptLines(
  driver: DriverChoice,
  notifier: Notifier,
  inherited: readonly InheritedFd[],
  log: KeptLog,
): Promise<KeptLines | undefined> {
  if (notifier.kind === 'none') return undefined;
  const keeps = KEEPING.includes(driver);
  if (!keeps && inherited.length === 0) return undefined;
  const { KeptLines } = await import('./bridge/kept-lines.js');
  const kept = new KeptLines({ store: notifier, inherited, log });
  if (keeps) return kept;
  await kept.letGo();
  return undefined;
}
