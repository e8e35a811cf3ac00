// What the system says of files, as it is told to people: the code, the place, what is wrong, and what to do.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileError, shellWord, writeError } from './file-faults.js';
import { OutputFile } from './scenario/output-file.js';
import { readTrusted } from './security/read-trusted.js';
import { unprivileged } from './unprivileged.spec-helper.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpio-irqd-faults-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, 'text');
  chmodSync(path, mode);
  return path;
}

/** What reading a file is told as. */
function toldOf(path: string): unknown {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fileError(error, path, 'read', { denied: 'ask its owner' });
  }
}

it('tells of what is not there, is no file, or cannot be found', () => {
  symlinkSync('loop', join(folder, 'loop'));
  const file = put('file', 0o644);
  const told = [join(folder, 'none'), folder, join(file, 'x'), join(folder, 'loop'), join(folder, 'a'.repeat(300))].map(
    (path) => toldOf(path),
  );
  expect(told).toMatchObject([
    { code: 'ENOENT', message: `${folder}/none cannot be read: no such file`, hint: 'check the path' },
    { code: 'EISDIR', message: `${folder} cannot be read: it is a directory` },
    { code: 'ENOTDIR', message: `${file}/x cannot be read: part of the path is not a directory` },
    { code: 'EIO', message: `${folder}/loop cannot be read: too many symbolic links` },
    { code: 'EIO', message: expect.stringContaining('the path is too long') },
  ]);
});

it('tells which folder is in the way, or that it is the file itself', async () => {
  const file = put('file', 0o000);
  mkdirSync(join(folder, 'a b/c'), { recursive: true });
  chmodSync(join(folder, 'a b'), 0o000);
  const [itself, behind] = await unprivileged(() => [toldOf(file), toldOf(join(folder, 'a b/c/d'))]);
  chmodSync(join(folder, 'a b'), 0o755);
  expect(itself).toMatchObject({ code: 'EACCES', subject: file, hint: 'ask its owner' });
  expect(behind).toMatchObject({ code: 'EACCES', hint: `let this user through: sudo chmod o+x '${folder}/a b'` });
});

it('tells which folder is in the way of what links lead to', async () => {
  const closed = join(folder, 'closed');
  mkdirSync(join(folder, 'open'));
  mkdirSync(closed);
  writeFileSync(join(closed, 'file'), '');
  symlinkSync('../closed', join(folder, 'open/near'));
  symlinkSync('open/near/file', join(folder, 'link'));
  symlinkSync(join(folder, 'link'), join(folder, 'open/far'));
  chmodSync(closed, 0o000);
  const told = await unprivileged(() => [join(folder, 'link'), join(folder, 'open/far')].map((path) => toldOf(path)));
  chmodSync(closed, 0o755);
  const hint = `let this user through: sudo chmod o+x ${folder}/open/near`;
  expect(told).toMatchObject([{ hint }, { hint }]);
});

it.each([
  ['EROFS', 'EACCES', /its disk can only be read$/],
  ['EPERM', 'EACCES', /not permitted$/],
  ['EDQUOT', 'EIO', /the quota of its disk is used up$/],
  ['EMFILE', 'EMFILE', /too many files are open$/],
  ['EWHATEVER', 'EIO', /as the system says$/],
])('tells %s as %s', (code, told, message) => {
  const error = Object.assign(new Error('as the system says'), { code });
  expect(writeError(error, '/x')).toMatchObject({ code: told, message: expect.stringMatching(message), cause: error });
});

it('tells of a disk that is full while a file is written', () => {
  const full = new OutputFile('/dev/full');
  const write = (): void => full.write('text');
  expect(write).toThrow(
    expect.objectContaining({
      code: 'ENOSPC',
      message: '/dev/full cannot be written: no room is left on its disk',
      hint: expect.stringMatching(/^make room/),
    }),
  );
  full.close();
  const missing = join(folder, 'none/out');
  expect(() => new OutputFile(missing)).toThrow(expect.objectContaining({ code: 'ENOENT', subject: missing }));
});

it('tells how this user may read a secret, as one that root has made is readable for root alone', async () => {
  const path = put('token', 0o000);
  await expect(unprivileged(() => readTrusted(path, 'secret'))).rejects.toMatchObject({
    code: 'EACCES',
    message: `${path} cannot be read: permission denied`,
    hint: expect.stringMatching(/^sudo chown [\w-]+ \/.*token$/),
  });
});

it('writes paths as words of a shell', () => {
  expect([shellWord('/etc/a-b.c'), shellWord("/it's")]).toEqual(['/etc/a-b.c', "'/it'\\''s'"]);
});
