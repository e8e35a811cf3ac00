// Specification of the shipped unit: systemd accepts it, it stays shut, and it keeps what Node and GPIO need.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

const FILE = join(import.meta.dirname, 'gpio-irqd.service');
const settings = readFileSync(FILE, 'utf8')
  .split('\n')
  .filter((line) => /^[A-Z]\w*=/.test(line));

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('the shipped unit', () => {
  test.each([
    'Type=notify',
    'NotifyAccess=main',
    'WatchdogSec=10',
    'Restart=on-failure',
    'StartLimitIntervalSec=0',
    'RestartPreventExitStatus=2',
    'User=gpio-irqd',
    'RuntimeDirectoryMode=0750',
    'DeviceAllow=char-gpiochip rw',
    'SystemCallFilter=@system-service @pkey',
    'RestrictAddressFamilies=AF_UNIX',
  ])('has %s', (setting) => expect(settings).toContain(setting));

  test.each([
    ['MemoryDenyWriteExecute=', 'V8 could not compile'],
    ['PrivateDevices=', 'GPIO chips would be hidden'],
  ])('lacks %s: %s', (name) => expect(settings.filter((line) => line.startsWith(name))).toEqual([]));

  test('runs on hardware only, from the installed configuration, with the socket in its runtime directory', () => {
    const [command, ...more] = settings.filter((line) => line.startsWith('ExecStart='));
    expect(more).toEqual([]);
    expect(command).toMatch(
      / run --driver hardware --config \/etc\/gpio-irqd\/config\.yaml --socket \/run\/gpio-irqd\/control\.sock$/,
    );
  });

  test.runIf(hasAnalyze)('exposes at most 0.8 of 10 by systemd-analyze security', () => {
    expect(exposure()).toEqual({ status: 0, stderr: '' });
  });

  test.runIf(hasAnalyze)('with the network drop-in, exposes at most 1.5', () => {
    expect(exposure('network.conf', 15)).toEqual({ status: 0, stderr: '' });
    // The comparison would hold of a drop-in that nobody read.
    expect(exposure('network.conf', 8).status).toBe(1);
  });
});

/** Lets systemd judge the unit with a drop-in. @param most tenths; status 1 when it is more */
function exposure(dropIn?: string, most = 8): { readonly status: number | null; readonly stderr: string } {
  const directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-unit.'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const unit = join(directory, 'gpio-irqd.service');
  copyFileSync(FILE, unit);
  if (dropIn !== undefined) {
    mkdirSync(`${unit}.d`);
    copyFileSync(join(import.meta.dirname, 'drop-ins', dropIn), join(`${unit}.d`, dropIn));
  }
  const args = ['security', '--offline=true', `--threshold=${most}`, unit];
  const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, stderr };
}
