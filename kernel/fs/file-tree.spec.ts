import { describe, expect, it } from 'vitest';
import { thrownBy } from '../irq/fake-line.spec-helper.js';
import { Machine } from '../machine.js';
import { udelay } from '../time/delay.js';

function tree() {
  const machine = new Machine();
  const { files } = machine;
  const written: string[] = [];
  files.create('/proc/test/both', {
    mode: 0o644,
    show: () => 'shown\n',
    store: (text) => void written.push(text),
  });
  files.create('/proc/test/seen', { mode: 0o444, show: () => '' });
  files.create('/sys/test/seen', { mode: 0o444, show: () => '' });
  files.create('/sys/test/told', { mode: 0o200, store: () => {} });
  const write = (path: string, text: string): void => machine.runTask(() => files.write(path, text));
  return { machine, files, write, written };
}

describe('a file', () => {
  it('shows its text and takes what is written', () => {
    const { files, write, written } = tree();
    expect(files.read('/proc/test/both')).toBe('shown\n');
    write('/proc/test/both', '1\n');
    expect(written).toEqual(['1\n']);
  });

  it('takes its time to take what is written', () => {
    const { machine, files, write } = tree();
    files.create('/proc/slow', { mode: 0o200, store: () => udelay(50) });
    write('/proc/slow', 'x');
    expect(machine.clock.now()).toBe(50_000);
  });

  it('replaces one of its name', () => {
    const { files } = tree();
    files.create('/proc/test/both', { mode: 0o444, show: () => 'other' });
    expect(files.read('/proc/test/both')).toBe('other');
  });

  it('goes away, and a directory with all that is in it', () => {
    const { files } = tree();
    files.remove('/proc/test/both');
    expect(files.exists('/proc/test/both')).toBe(false);
    expect(files.exists('/proc/test/seen')).toBe(true);
    files.remove('/proc/test');
    expect(files.exists('/proc/test/seen')).toBe(false);
    files.remove('/proc/not/there');
  });
});

describe('a directory', () => {
  it('lists what it has by name, with the modes', () => {
    const { files } = tree();
    files.mkdir('/proc/test/alpha');
    expect(files.list('/proc/test')).toEqual([
      { name: 'alpha', directory: true, mode: 0o555 },
      { name: 'both', directory: false, mode: 0o644 },
      { name: 'seen', directory: false, mode: 0o444 },
    ]);
    expect(files.list('/proc/test/seen')).toEqual([{ name: 'seen', directory: false, mode: 0o444 }]);
    expect(files.list('/').map(({ name }) => name)).toContain('proc');
  });

  it('stays as it is when it is made again', () => {
    const { files } = tree();
    files.mkdir('/proc/test');
    expect(files.exists('/proc/test/both')).toBe(true);
  });
});

describe('what cannot be done', () => {
  it.each([
    ['/proc/nothing', 'ENOENT'],
    ['/proc/test', 'EISDIR'],
    ['/proc/test/both/deeper', 'ENOTDIR'],
    ['/sys/test/told', 'EACCES'],
  ])('reading %s is %s', (path, code) => {
    expect(thrownBy(() => tree().files.read(path))).toMatchObject({ code, subject: path });
  });

  it.each([
    ['/proc/nothing', 'ENOENT'],
    ['/proc', 'EISDIR'],
    ['/proc/test/seen', 'EIO'],
    ['/sys/test/seen', 'EACCES'],
  ])('writing %s is %s', (path, code) => {
    expect(thrownBy(() => tree().write(path, '1'))).toMatchObject({ code });
  });

  it('making something below a file is ENOTDIR', () => {
    const { files } = tree();
    expect(thrownBy(() => files.mkdir('/proc/test/both/deeper'))).toMatchObject({ code: 'ENOTDIR' });
    expect(thrownBy(() => files.create('/', { mode: 0 }))).toMatchObject({ code: 'EISDIR' });
  });
});
