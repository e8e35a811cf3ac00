// The install script on a machine with systemd and udev: what it puts in place is taken up by both.

import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { GpioSim } from '../gpio-sim.js';
import { CONFIG, installScript, plugHeader, SERVICE, uninstall } from './installed.js';
import { systemctl } from './systemctl.js';

const command = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' }).trim();

/** A chip that was there before the installation. */
let before: GpioSim;
beforeAll(async () => {
  before = await plugHeader();
  await installScript();
  command('udevadm', 'settle');
});
afterAll(async () => {
  before.remove();
  await uninstall();
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('systemd knows the unit, and has nothing to complain about it', async () => {
  expect((await systemctl('show', '--property=LoadState', SERVICE)).trim()).toBe('LoadState=loaded');
  expect(
    command('systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', `/etc/systemd/system/${SERVICE}`),
  ).toBe('');
});

test("the service's user is in the group that udev gives to a chip plugged in afterwards", async () => {
  const sim = await plugHeader();
  onTestFinished(() => sim.remove());
  expect(modeOf(sim.path)).toBe('660');
  expect(command('id', '-G', 'gpio-irqd').split(' ')).toContain(String(statSync(sim.path).gid));
  expect(command('id', '-Gn', 'gpio-irqd').split(' ')).toContain('gpio');
});

test('a chip that was there before the installation is handed over too', () => {
  expect(modeOf(before.path)).toBe('660');
});

test('a second installation keeps the configuration, and uninstalling leaves it', async () => {
  writeFileSync(CONFIG, '# mine\n');
  await installScript();
  expect(command('cat', CONFIG)).toBe('# mine');
  await installScript('--uninstall');
  expect(existsSync(CONFIG)).toBe(true);
  expect((await systemctl('show', '--property=LoadState', SERVICE)).trim()).toBe('LoadState=not-found');
});
