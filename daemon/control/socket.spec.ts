// The control socket in the file system: where it is looked for, and that another daemon's is left alone.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unprivileged } from '../unprivileged.spec-helper.js';
import { clearStaleSocket, defaultSocketPath, listenPrivately, prepareDirectory } from './socket.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-socket-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('the control socket stays where a daemon put a new one meanwhile', async () => {
  const path = join(directory, 'control.sock');
  const other = createServer();
  await new Promise<void>((settle) => other.listen(path, settle));
  await expect(clearStaleSocket(path)).rejects.toMatchObject({ code: 'EBUSY' });
  await new Promise((settle) => other.close(settle));
});

it('the control socket is looked for with the service, then with the user', () => {
  const temporary = '/tmp';
  const at = (env: Record<string, string>): string => defaultSocketPath({ env, uid: 1000, temporary });
  expect(at({ RUNTIME_DIRECTORY: '/run/gpio-irqd:/run/more', XDG_RUNTIME_DIR: '/run/user/1000' })).toBe(
    '/run/gpio-irqd/control.sock',
  );
  expect(at({ XDG_RUNTIME_DIR: '/run/user/1000' })).toBe('/run/user/1000/gpio-irqd/control.sock');
  expect(at({})).toBe('/tmp/gpio-irqd-1000/control.sock');
});

const HINT = 'Choose another place with --socket PATH.';

it('a folder that this user may not go through is told of with what to do', async () => {
  const path = join(directory, 'closed', 'control.sock');
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'closed'));
  chmodSync(join(directory, 'closed'), 0o000);
  const message = `${path} cannot be looked at: permission denied`;
  await expect(unprivileged(() => clearStaleSocket(path))).rejects.toMatchObject({
    code: 'EACCES',
    message,
    hint: HINT,
  });
  const server = createServer();
  await expect(unprivileged(() => listenPrivately(server, path))).rejects.toMatchObject({
    code: 'EACCES',
    message: `${path} cannot be made: permission denied`,
    hint: HINT,
  });
  const below = join(directory, 'closed', 'more', 'control.sock');
  await expect(unprivileged(() => prepareDirectory(below, 12_345))).rejects.toMatchObject({
    code: 'EACCES',
    message: `${join(directory, 'closed', 'more')} cannot be created: permission denied`,
  });
  chmodSync(join(directory, 'closed'), 0o700);
});

it.runIf(process.getuid?.() === 0)("a socket that is left over, and another user's, is told of as that", async () => {
  const path = join(directory, 'control.sock');
  chmodSync(directory, 0o1777);
  // Ends without a word, so that its socket stays.
  spawnSync(process.execPath, ['-e', LEAVES_BEHIND, path]);
  chmodSync(path, 0o666);
  await expect(unprivileged(() => clearStaleSocket(path))).rejects.toMatchObject({
    code: 'EACCES',
    message: `${path} cannot be removed: not permitted`,
    hint: HINT,
  });
});

const LEAVES_BEHIND = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
