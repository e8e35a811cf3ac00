// What can be known of libgpiod without hardware: why the package does not load, and which descriptor a request opened.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failsWith } from '../../test/contract/backend.js';
import { eventDescriptors, openedBy } from './event-fd.js';
import { loadLibgpiod } from './node-libgpiod.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-libgpiod-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('loadLibgpiod', () => {
  const notFound = new Error("Cannot find module 'node-libgpiod'");
  const load = () =>
    failsWith('ENOSYS', () =>
      loadLibgpiod({
        require: () => {
          throw notFound;
        },
        libraryDirs: [folder, join(folder, 'nowhere')],
      }),
    );

  it('gives the package', () => {
    const libgpiod = { Chip: class {} };
    const asked: string[] = [];
    const loaded = loadLibgpiod({
      require: (name) => {
        asked.push(name);
        return libgpiod;
      },
    });
    expect(loaded).toBe(libgpiod);
    expect(asked).toEqual(['node-libgpiod']);
  });

  it('says that libgpiod 2 is installed, in a folder of the architecture too', () => {
    mkdirSync(join(folder, 'aarch64-linux-gnu'));
    writeFileSync(join(folder, 'aarch64-linux-gnu', 'libgpiod.so.3'), '');
    const error = load();
    expect(error.message).toContain('libgpiod 2 is installed');
    expect(error.hint).toBe('use driver: chardev, which needs no library');
    expect(error.cause).toBe(notFound);
  });

  it.each([['libgpiod.so.2'], ['libgpiod.so.2', 'libgpiod.so.3']])(
    'asks to build it where libgpiod 1 is: %s',
    (...files) => {
      for (const file of files) writeFileSync(join(folder, file), '');
      expect(load().hint).toContain('npm install node-libgpiod');
    },
  );

  it('says that libgpiod is not there at all', () => {
    writeFileSync(join(folder, 'libgpiodcxx.so.1'), '');
    writeFileSync(join(folder, 'libgpiod.so'), '');
    expect(load().message).toContain('libgpiod is not installed');
  });
});

describe('openedBy', () => {
  const open = (fd: number, link: string): void => symlinkSync(link, join(folder, String(fd)));
  const event = (fd: number): void => open(fd, 'anon_inode:gpio-event');

  it('gives the event descriptor that was not there before, of all that were opened', () => {
    event(5);
    open(6, 'socket:[1]');
    const fd = openedBy(() => {
      open(7, 'anon_inode:[eventpoll]');
      open(8, '/dev/gpiochip0');
      event(9);
      open(10, 'anon_inode:gpio-line');
    }, folder);
    expect(fd).toBe(9);
    expect(eventDescriptors(folder)).toEqual(new Set([5, 9]));
  });

  it('knows a number again that was of something else before', () => {
    open(7, 'pipe:[3]');
    const fd = openedBy(() => {
      unlinkSync(join(folder, '7'));
      event(7);
    }, folder);
    expect(fd).toBe(7);
  });

  it.each([
    ['none', 0],
    ['two', 2],
  ])('refuses to choose among %s', (_, count) => {
    const error = failsWith('EIO', () =>
      openedBy(() => {
        for (let fd = 20; fd < 20 + count; fd++) event(fd);
      }, folder),
    );
    expect(error.message).toContain(`${count} descriptors`);
  });

  it('lets the error of the request through', () => {
    expect(() =>
      openedBy(() => {
        throw new Error('busy');
      }, folder),
    ).toThrow('busy');
  });
});
