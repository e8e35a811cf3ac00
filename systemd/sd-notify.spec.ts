// Specification of the addon's part of sd_notify: addresses, descriptors, errors, and that nothing stays open.
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startManager } from './manager.spec-helper.js';
import { loadSdNotify } from './sd-notify.js';

/** As the kernel numbers them. */
const [ENOENT, E2BIG, EBADF, ENAMETOOLONG, EMSGSIZE, EAFNOSUPPORT, ETIMEDOUT, ECONNREFUSED] = [
  2, 7, 9, 36, 90, 97, 110, 111,
];

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-notify-'));
  return () => rmSync(directory, { recursive: true });
});

async function manager(address: string, barrierMs?: number) {
  const started = await startManager(address, barrierMs);
  onTestFinished(() => started.end());
  return { ...started, ...loadSdNotify(address) };
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

describe.runIf(process.platform === 'linux')('sd_notify by the addon', () => {
  test.each([
    ['a path', () => join(directory, 'notify')],
    ['a path as long as it may be', () => join(directory, 'x'.repeat(106 - directory.length))],
    ['an abstract name', () => `@gpio-irqd-test-${process.pid}`],
    ['an abstract name as long as it may be', () => `@${process.pid}`.padEnd(107, 'x')],
  ])('sends to %s, descriptors too', async (_, address) => {
    const { notify, barrier, next } = await manager(address());
    expect(notify('READY=1\nSTATUS=10 µs', [])).toBe(0);
    expect(await next()).toBe('READY=1\nSTATUS=10 µs');
    const fd = openSync('/dev/null', 'r');
    expect(notify('FDSTORE=1', [fd, fd])).toBe(0);
    closeSync(fd);
    expect(await next()).toBe('FDSTORE=1\n/dev/null\n/dev/null');
    expect(await barrier(5_000)).toBe(0);
    expect(await next()).toMatch(/^BARRIER=1\npipe:/);
  });

  test('sends as many descriptors as the kernel takes in one message, and refuses more', async () => {
    const { notify, next } = await manager(join(directory, 'notify'));
    const fd = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(fd));
    const many = Array.from({ length: 253 }, () => fd);
    expect(notify('FDSTORE=1', many)).toBe(0);
    expect((await next()).split('\n')).toHaveLength(1 + 253);
    expect(notify('FDSTORE=1', [...many, fd])).toBe(-E2BIG);
  });

  test('what is sent arrives byte for byte', async () => {
    const { notify, next } = await manager(join(directory, 'notify'));
    const text = fc.string({ unit: 'grapheme', maxLength: 500 });
    await fc.assert(
      fc.asyncProperty(text, async (words) => {
        expect(notify(`STATUS=${words}`, [])).toBe(0);
        expect(await next()).toBe(`STATUS=${words}`);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['', EAFNOSUPPORT],
    ['/', EAFNOSUPPORT],
    ['@', EAFNOSUPPORT],
    ['notify', EAFNOSUPPORT],
    ['vsock:2:1234', EAFNOSUPPORT],
    ['/no/such/socket', ENOENT],
    ['@gpio-irqd-nobody', ECONNREFUSED],
    [`/${'x'.repeat(107)}`, ENAMETOOLONG],
    [`/${'€'.repeat(36)}`, ENAMETOOLONG],
    [`@${'x'.repeat(100_000)}`, ENAMETOOLONG],
  ])('to %j it cannot be sent, for a reason', async (address, errno) => {
    const { notify, barrier } = loadSdNotify(address);
    const before = openFiles();
    expect(notify('READY=1', [])).toBe(-errno);
    expect(await barrier(1_000)).toBe(-errno);
    expect(openFiles()).toBe(before);
  });

  test('a file that is no socket, a descriptor that is none and a text that is too long are refused', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(loadSdNotify(file).notify('READY=1', [])).toBe(-ECONNREFUSED);
    const { notify } = await manager(join(directory, 'notify'));
    expect(notify('FDSTORE=1', [-1])).toBe(-EBADF);
    expect(notify('FDSTORE=1', [0, 4_000])).toBe(-EBADF);
    expect(notify('x'.repeat(10_000_000), [])).toBe(-EMSGSIZE);
  });

  test('a manager that keeps a barrier is waited for so long and not longer', async () => {
    const { barrier } = await manager(join(directory, 'notify'), 60_000);
    expect(await barrier(20)).toBe(-ETIMEDOUT);
  });

  test('nothing stays open', async () => {
    const { notify, barrier, next } = await manager(join(directory, 'notify'), 0);
    const before = openFiles();
    for (let i = 0; i < 20; i++) {
      notify('FDSTORE=1', [0]);
      await next();
      await barrier(5_000);
      await next();
    }
    await barrier(0);
    expect(openFiles()).toBe(before);
  });

  test.each([
    [() => loadSdNotify(1 as unknown as string).notify('', [])],
    [() => loadSdNotify('/x').notify(1 as unknown as string, [])],
    [() => loadSdNotify('/x').notify('', 1 as unknown as number[])],
    [() => loadSdNotify('/x').notify('', ['x' as unknown as number])],
  ])('wrong use %# throws', (use) => {
    expect(use).toThrow(TypeError);
  });
});
