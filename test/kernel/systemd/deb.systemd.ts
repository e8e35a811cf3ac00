// The Debian package on a machine with systemd and udev: installed, started, upgraded, removed, purged.

import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, CONFIG, plugHeader, SERVICE } from './installed.js';
import { configure, EVERY_EDGE, linesInUse, receives } from './service.js';
import { systemctl, unitState } from './systemctl.js';

const BUILT = fileURLToPath(new URL('../../../packaging/out/', import.meta.url));
const NEWER = '/var/tmp/gpio-irqd-newer';

const run = promisify(execFile);
const output = async (program: string, ...args: string[]): Promise<string> => (await run(program, args)).stdout.trim();

/** What systemctl says of the unit, whatever its exit status. */
const isEnabled = (): Promise<string> =>
  run('systemctl', ['is-enabled', SERVICE]).then(
    ({ stdout }) => stdout.trim(),
    (error: { stdout?: string }) => error.stdout?.trim() ?? '',
  );

let sim: GpioSim;
/** For a Node that is no Debian package: the dependency is met all the same. */
let force: readonly string[] = [];
const dpkg = (...args: string[]): Promise<string> => output('dpkg', '--no-triggers', ...force, ...args);

/** The one for this machine: those for others may lie beside it. */
function builtPackage(): string {
  const ending = `_${execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()}.deb`;
  const found = readdirSync(BUILT).find((name) => name.endsWith(ending));
  if (found === undefined) throw new Error(`no package in ${BUILT}: npm run package:deb`);
  return join(BUILT, found);
}

/** The same package with a higher version, as the next release. */
async function newerPackage(): Promise<string> {
  await run('dpkg-deb', ['--raw-extract', builtPackage(), NEWER]);
  const control = join(NEWER, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, '$&+newer'));
  await run('dpkg-deb', ['-Znone', '--build', NEWER, `${NEWER}.deb`]);
  return `${NEWER}.deb`;
}

beforeAll(async () => {
  // A container may forbid its packages to start services; this guest is a whole machine.
  rmSync('/usr/sbin/policy-rc.d', { force: true });
  const node = await output('dpkg-query', '--status', 'nodejs').catch(() => '');
  if (!/^Status: .* installed$/m.test(node)) {
    force = ['--force-depends'];
    if (!existsSync('/usr/bin/node')) symlinkSync(process.execPath, '/usr/bin/node');
  }
  sim = await plugHeader();
});
afterAll(async () => {
  await dpkg('--purge', 'gpio-irqd');
  sim.remove();
});

test('installing it brings the service and its user, and starts nothing', async () => {
  await dpkg('--install', builtPackage());
  expect(await output('id', '-Gn', 'gpio-irqd')).toBe('gpio-irqd gpio');
  expect(await systemctl('show', '--property=LoadState,ActiveState', SERVICE)).toBe(
    'LoadState=loaded\nActiveState=inactive\n',
  );
  expect(await isEnabled()).toBe('disabled');
  expect(await output('gpio-irqd', 'check', '--config', CONFIG)).toMatch(/: ok \(3 lines, 2 interrupts\)$/);
  expect(await output('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', SERVICE)).toBe('');
});

test('the service runs from it, with no compiler, and counts edges', async () => {
  configure(EVERY_EDGE);
  await systemctl('enable', '--now', SERVICE);
  expect(await unitState(SERVICE)).toMatchObject({ ActiveState: 'active', NRestarts: 0 });
  sim.pull(BUTTON1, 0);
  sim.pull(BUTTON1, 1);
  await receives(2);
  expect(await output('gpio-irqctl', '--socket', '/run/gpio-irqd/control.sock', 'get', 'button1')).toBe('1');
});

test('an upgrade keeps the configuration and what is enabled, and restarts the service', async () => {
  const before = await unitState(SERVICE);
  await dpkg('--install', await newerPackage());
  const after = await unitState(SERVICE);
  expect(after).toMatchObject({ ActiveState: 'active', Result: 'success' });
  expect(after.MainPID).not.toBe(before.MainPID);
  expect(await isEnabled()).toBe('enabled');
  expect(readFileSync(CONFIG, 'utf8')).toBe(EVERY_EDGE);
});

test('removing it stops the service, frees its lines, and leaves the configuration', async () => {
  await dpkg('--remove', 'gpio-irqd');
  expect(await unitState(SERVICE)).toMatchObject({ ActiveState: 'inactive', MainPID: 0 });
  expect(linesInUse(sim)).toEqual([]);
  expect(existsSync('/lib/systemd/system/gpio-irqd.service')).toBe(false);
  expect(existsSync('/usr/lib/gpio-irqd')).toBe(false);
  expect(readFileSync(CONFIG, 'utf8')).toBe(EVERY_EDGE);
});

test('installed again it is enabled as before; purged, nothing of it is left but its user', async () => {
  await dpkg('--install', builtPackage());
  expect(await isEnabled()).toBe('enabled');
  await dpkg('--purge', 'gpio-irqd');
  expect(existsSync('/etc/gpio-irqd')).toBe(false);
  expect(await isEnabled()).not.toMatch(/enabled|masked/);
  expect(await output('dpkg-query', '--list', 'gpio-irqd').catch(() => '')).toBe('');
  expect(await output('id', '-un', 'gpio-irqd')).toBe('gpio-irqd');
});
