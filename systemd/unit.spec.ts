// Specification of the shipped unit: systemd accepts it, it stays shut, and it keeps what Node and GPIO need.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

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

  test.runIf(hasAnalyze)('exposes at most 1.0 of 10 by systemd-analyze security', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=10', FILE]);
    expect(String(stderr)).toBe('');
    expect(status).toBe(0);
  });
});
