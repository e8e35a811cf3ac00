// The settings of the shipped unit, in force: as systemd took them, and as the service finds them from inside.

import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { GpioSim } from '../gpio-sim.js';
import { BUTTON1, CONFIG, installScript, plugHeader, SERVICE, SOCKET, uninstall } from './installed.js';
import { configure, EVERY_EDGE, journal, override, receives, stopService } from './service.js';
import { systemctl, unitState } from './systemctl.js';

const run = promisify(execFile);

const SHIPPED = fileURLToPath(new URL('../../../systemd/gpio-irqd.service', import.meta.url));

let sim: GpioSim;
beforeAll(async () => {
  await installScript();
  sim = await plugHeader();
  // For everyone by its mode, as the device of some other hardware may be.
  await run('mknod', ['--mode=666', '/dev/probe', 'c', '1', '1']);
  await run('ip', ['address', 'add', '203.0.113.1/32', 'dev', 'lo']);
  copyFileSync(fileURLToPath(new URL('probe.mjs', import.meta.url)), join(dirname(CONFIG), 'probe.mjs'));
  configure(`${EVERY_EDGE}interrupts:\n  - { line: button1, handler: ./probe.mjs }\n`);
});
afterAll(async () => {
  await stopService();
  sim.remove();
  await uninstall();
});

/** Starts the service with the probe in it. @returns what the probe found */
async function probe(): Promise<Readonly<Record<string, unknown>>> {
  await systemctl('restart', SERVICE);
  return JSON.parse(readFileSync(join(dirname(SOCKET), 'probe.json'), 'utf8')) as Record<string, unknown>;
}

/** Settings of the shipped unit whose value `systemctl show` gives back in the unit's own words. */
function plainSettings(): [name: string, value: string][] {
  const plain = /^(\w+)=(yes|no|strict|closed|invisible|pid|continue)$/;
  return readFileSync(SHIPPED, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name, value] = plain.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    });
}

const shown = async (name: string): Promise<string> =>
  (await systemctl('show', `--property=${name}`, '--value', SERVICE)).trim();

describe('as shipped', () => {
  let found: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    found = await probe();
  });

  test('runs without any drop-in, with every setting taken', async () => {
    expect(await shown('DropInPaths')).toBe('');
    expect(plainSettings().length).toBeGreaterThan(20);
    for (const [name, value] of plainSettings()) expect(`${name}=${await shown(name)}`).toBe(`${name}=${value}`);
  });

  test('what it tries is refused, and what it needs is not', () => {
    expect(found).toEqual({
      name: expect.any(String),
      loopback: 'EAFNOSUPPORT',
      elsewhere: 'EAFNOSUPPORT',
      writeEtc: 'EROFS',
      writeTmp: 'ok',
      writeShm: 'EACCES',
      runFromRuntime: 'EACCES',
      runFromTmp: 'EACCES',
      run: 'ok',
      otherDevice: 'EPERM',
      readKernelLog: 'EACCES',
      readMeminfo: 'ENOENT',
      processes: 1,
      seesInit: false,
      homes: [],
      writeSysfs: 'EROFS',
      becomeRoot: 'EPERM',
      openFiles: '8192',
    });
    expect(existsSync('/tmp/mine')).toBe(false);
  });

  test('has namespaces of its own', async () => {
    const { MainPID } = await unitState(SERVICE);
    for (const kind of ['mnt', 'net', 'user', 'ipc', 'uts'])
      expect(readlinkSync(`/proc/${MainPID}/ns/${kind}`), kind).not.toBe(readlinkSync(`/proc/1/ns/${kind}`));
  });

  test('counts edges behind all that', async () => {
    sim.pull(BUTTON1, 0);
    sim.pull(BUTTON1, 1);
    await receives(2);
  });
});

test('a module that everyone may change: it does not start, says so, and says what mends it', async () => {
  const module = join(dirname(CONFIG), 'probe.mjs');
  const since = Date.now();
  chmodSync(module, 0o666);
  onTestFinished(() => chmodSync(module, 0o644));
  await expect(systemctl('restart', SERVICE)).rejects.toThrow(/control process exited with error code/);
  expect(await unitState(SERVICE)).toMatchObject({ ActiveState: 'failed', ExecMainStatus: 2, NRestarts: 0 });
  const said = await journal(since);
  expect(said).toContain('probe.mjs can be changed by everyone (mode 0666), and it would be run by the daemon');
  expect(said).toContain(`sudo chmod o-w ${module}`);
});

describe('with the network drop-in', () => {
  let found: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    await installScript('--network');
    found = await probe();
  });

  test('reaches this machine and the networks at hand, and nothing beyond them', async () => {
    expect(found).toMatchObject({ loopback: 'ECONNREFUSED', elsewhere: 'silence' });
    expect(found.name).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await shown('DropInPaths')).toMatch(/\/50-network\.conf$/);
  });

  test('is kept from everything else as before', () => {
    expect(found).toMatchObject({ writeEtc: 'EROFS', otherDevice: 'EPERM', seesInit: false, runFromRuntime: 'EACCES' });
  });

  test('reaches further where a drop-in of the user says so', async () => {
    const undo = await override('IPAddressAllow=any');
    onTestFinished(undo);
    expect(await probe()).toMatchObject({ elsewhere: 'ECONNREFUSED' });
  });

  test('is cut off again by --no-network, and by nothing less', async () => {
    await installScript();
    expect(await probe()).toMatchObject({ loopback: 'ECONNREFUSED' });
    await installScript('--no-network');
    expect(await probe()).toMatchObject({ loopback: 'EAFNOSUPPORT' });
  });
});
