// Specification of sd_notify: real datagrams through the addon, the tool as the fallback, silence outside systemd.
import { closeSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Manager, startManager } from './manager.spec-helper.js';
import { createNotifier, type NotifierSources, type ServiceLog } from './notify.js';

function recorder() {
  const lines: string[] = [];
  const note = (level: string) => (_fields: object, message: string) => void lines.push(`${level} ${message}`);
  const log: ServiceLog = { info: note('info'), warn: note('warn'), error: note('error') };
  return { log, lines };
}

/** Sources that must not be asked, but for those given. */
function sources(given: Partial<NotifierSources>): NotifierSources {
  const missing = () => Promise.reject(new Error('not installed'));
  const noAddon = () => {
    throw new Error('not built');
  };
  return { sdNotify: noAddon, systemdNotify: missing, runTool: missing, ...given };
}

const UNDER_SYSTEMD = { NOTIFY_SOCKET: '/run/systemd/notify' };

describe.runIf(process.platform === 'linux')('with the addon and a real socket', () => {
  let directory: string;
  let manager: Manager;
  let next: Manager['next'];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-notify-'));
    const socket = join(directory, 'notify');
    manager = await startManager(socket);
    next = manager.next;
    vi.stubEnv('NOTIFY_SOCKET', socket);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await manager.end();
    rmSync(directory, { recursive: true });
  });

  test('every message arrives as sd_notify(3) spells it', async () => {
    const { log, lines } = recorder();
    const notifier = await createNotifier({ env: process.env, log });
    expect(notifier.kind).toBe('addon');
    expect(await notifier.ready('3 lines, hardware')).toBe(true);
    expect(await next()).toBe('READY=1\nSTATUS=3 lines, hardware');
    await notifier.ready();
    expect(await next()).toBe('READY=1');
    await notifier.status('10 µs');
    expect(await next()).toBe('STATUS=10 µs');
    await notifier.watchdog();
    expect(await next()).toBe('WATCHDOG=1');
    await notifier.reloading();
    expect(await next()).toMatch(/^RELOADING=1\nMONOTONIC_USEC=[0-9]+$/);
    await notifier.stopping('releasing lines');
    expect(await next()).toBe('STOPPING=1\nSTATUS=releasing lines');
    expect(lines).toEqual([]);
  });

  test('descriptors go along with their name, and are gone when their removal resolves', async () => {
    const { log, lines } = recorder();
    const notifier = await createNotifier({ env: process.env, log });
    const [one, two] = [openSync('/dev/null', 'r'), openSync('/dev/zero', 'r')];
    expect(await notifier.storeFds('gpio-irqd.1', [one, two])).toBe(true);
    closeSync(one);
    closeSync(two);
    expect(await next()).toBe('FDSTORE=1\nFDNAME=gpio-irqd.1\n/dev/null\n/dev/zero');
    let removed = false;
    const removing = notifier.removeFds('gpio-irqd.1').then((sent) => {
      removed = sent;
    });
    expect(await next()).toBe('FDSTOREREMOVE=1\nFDNAME=gpio-irqd.1');
    // Whoever closes the pipe that comes with it has taken in all before.
    expect(await next()).toMatch(/^BARRIER=1\npipe:/);
    await removing;
    expect(removed).toBe(true);
    expect(lines).toEqual([]);
  });

  test.each(['', 'a:b', 'a\nREADY=1', 'ä', 'x'.repeat(256)])('%j is no name for a descriptor', async (name) => {
    const { log } = recorder();
    const notifier = await createNotifier({ env: process.env, log });
    expect(() => notifier.storeFds(name, [0])).toThrow(RangeError);
    expect(() => notifier.removeFds(name)).toThrow(RangeError);
  });

  test('no status text can smuggle in another assignment', async () => {
    const { log } = recorder();
    const notifier = await createNotifier({ env: process.env, log });
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('\n', '\r', '\0', '\u2028', '='), fc.string()) });
    await fc.assert(
      fc.asyncProperty(text, async (status) => {
        expect(await notifier.ready(status)).toBe(true);
        const message = await next();
        expect(message.split('\n')).toHaveLength(2);
        expect(message.startsWith('READY=1\nSTATUS=')).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('a socket that is gone is reported once, and again only after it worked', async () => {
    const { log, lines } = recorder();
    const notifier = await createNotifier({ env: process.env, log });
    const [socket, away] = [join(directory, 'notify'), join(directory, 'away')];
    renameSync(socket, away);
    expect(await notifier.watchdog()).toBe(false);
    expect(await notifier.watchdog()).toBe(false);
    expect(lines).toEqual(['warn systemd was not notified of WATCHDOG: sd_notify failed with errno 2']);
    renameSync(away, socket);
    expect(await notifier.watchdog()).toBe(true);
    renameSync(socket, away);
    await notifier.status('x');
    expect(lines).toHaveLength(2);
  });

  test('a pino logger will do', async () => {
    const notifier = await createNotifier({ env: process.env, log: pino({ enabled: false }) });
    expect(await notifier.ready()).toBe(true);
  });
});

describe('outside systemd', () => {
  test.each([[{}], [{ NOTIFY_SOCKET: '' }]])('with %j nothing is loaded, sent or logged', async (env) => {
    const { log, lines } = recorder();
    const unexpected = vi.fn(() => {
      throw new Error('must not be asked');
    });
    const all = { sdNotify: unexpected, systemdNotify: unexpected, runTool: unexpected };
    const notifier = await createNotifier({ env, log, sources: all });
    expect(notifier.kind).toBe('none');
    const sent = await Promise.all([notifier.ready('x'), notifier.watchdog(), notifier.stopping()]);
    expect(sent).toEqual([false, false, false]);
    expect(unexpected).not.toHaveBeenCalled();
    expect(lines).toEqual([]);
  });
});

describe('without the addon', () => {
  test('READY and STATUS take the package, the rest the tool, in the order of the calls', async () => {
    const { log, lines } = recorder();
    const sent: unknown[] = [];
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const notifier = await createNotifier({
      env: UNDER_SYSTEMD,
      log,
      sources: sources({
        systemdNotify: () => Promise.resolve((options) => slow.then(() => sent.push(options))),
        runTool: (assignments) => Promise.resolve(void sent.push(assignments)),
      }),
    });
    expect(notifier.kind).toBe('systemd-notify');
    expect(notifier.info).toContain('NotifyAccess=all');
    expect(lines).toEqual([expect.stringContaining('warn the addon cannot be used (not built)')]);
    const all = [notifier.ready('up'), notifier.status('a\nb'), notifier.watchdog(), notifier.stopping('bye')];
    release();
    expect(await Promise.all(all)).toEqual([true, true, true, true]);
    expect(sent).toEqual([
      { ready: true, status: 'up' },
      { status: 'a b' },
      ['WATCHDOG=1'],
      ['STOPPING=1', 'STATUS=bye'],
    ]);
  });

  test('descriptors go to the tool as its own, and their removal by assignments', async () => {
    const { log } = recorder();
    const runs: unknown[] = [];
    const notifier = await createNotifier({
      env: UNDER_SYSTEMD,
      log,
      sources: sources({
        systemdNotify: () => Promise.resolve(() => Promise.resolve()),
        runTool: (args, fds) => Promise.resolve(void runs.push([args, fds])),
      }),
    });
    expect(await notifier.storeFds('lines', [17, 21])).toBe(true);
    expect(await notifier.removeFds('lines')).toBe(true);
    expect(runs).toEqual([
      [
        ['--fd=3', '--fd=4', '--fdname=lines', 'FDSTORE=1'],
        [17, 21],
      ],
      [['FDSTOREREMOVE=1', 'FDNAME=lines'], []],
    ]);
  });

  test('a failing tool is reported once and does not hold up what follows', async () => {
    const { log, lines } = recorder();
    const notifier = await createNotifier({
      env: UNDER_SYSTEMD,
      log,
      // The package rejects with the tool's own words, a string.
      sources: sources({ systemdNotify: () => Promise.resolve(() => Promise.reject('No status data could be sent')) }),
    });
    expect(await notifier.ready()).toBe(false);
    expect(await notifier.watchdog()).toBe(false);
    expect(lines.slice(1)).toEqual(['warn systemd was not notified of READY: No status data could be sent']);
  });

  test('with nothing at all the service says why it will not become ready', async () => {
    const { log, lines } = recorder();
    const notifier = await createNotifier({ env: UNDER_SYSTEMD, log, sources: sources({}) });
    expect(notifier.kind).toBe('none');
    expect(await notifier.ready()).toBe(false);
    expect(lines).toEqual([expect.stringMatching(/^error systemd cannot be notified: .*Install gpio-irqd or/)]);
  });

  test('of a package that is not there, its name is told and not who wanted it', async () => {
    const { log, lines } = recorder();
    const missing = (): never => createRequire(import.meta.url)('no-such-package') as never;
    await createNotifier({
      env: UNDER_SYSTEMD,
      log,
      sources: sources({ sdNotify: missing, systemdNotify: async () => missing() }),
    });
    expect(lines).toEqual([
      "error systemd cannot be notified: addon: Cannot find module 'no-such-package'; systemd-notify: Cannot find module " +
        "'no-such-package'. Install gpio-irqd or the package systemd-notify again, or set Type=exec in the unit",
    ]);
  });
});
