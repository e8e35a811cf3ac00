// Disks that are full: where the log goes, and where the socket should be.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Site } from './daemon-process.js';

const CONFIG = `
lines:
  button: { gpio: 17, edge: both, bias: pull-up, active: low }
  lamp: { gpio: 4, direction: out }
interrupts: [{ line: button, top_half: [{ toggle: lamp }], thread: [{ log: "{line} {edge}" }] }]
`;
const PRESSES = 20;

let site: Site;
beforeEach(() => {
  site = new Site();
  site.write('config.yaml', CONFIG);
});
afterEach(() => site.close());

/** A file system of 64 KiB without inodes to spare, full to the brim; undefined where nothing may be mounted. */
function fullDirectory(): string | undefined {
  const directory = join(site.directory, 'full');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=4,mode=700', 'tmpfs', directory], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  for (let i = 0; ; i++) {
    try {
      writeFileSync(join(directory, `filler${i}`), Buffer.alloc(64 * 1_024));
    } catch {
      if (i > 3) return directory;
    }
  }
}

describe('a log that nobody can write', () => {
  it('takes nothing from the edges', async () => {
    const daemon = await site.start({ output: '/dev/full' });
    for (let i = 0; i < PRESSES; i++) await daemon.press('button');
    expect(await daemon.status()).toMatchObject({ edges: { received: 2 * PRESSES, lost: 0 }, handlerErrors: 0 });
    expect(await daemon.kill('SIGTERM')).toBe(0);
  });
});

describe('a full file system under the socket', () => {
  it('is said to be the reason, and nothing is left behind', async ({ skip }) => {
    const directory = fullDirectory();
    if (directory === undefined) return skip('nothing may be mounted here');
    try {
      const before = readdirSync(directory);
      site.socket = join(directory, 'control.sock');
      const daemon = site.spawn();
      expect(await daemon.ended).toBe(1);
      expect(daemon.out).toMatch(/control\.sock cannot be made: no room .*\(ENOSPC\)/);
      expect(readdirSync(directory)).toEqual(before);
      expect(existsSync(site.socket)).toBe(false);
    } finally {
      execFileSync('umount', ['-l', directory]);
    }
  });
});
