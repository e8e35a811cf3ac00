// The control socket in the file system: where it is looked for, and that another daemon's is left alone.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clearStaleSocket, defaultSocketPath } from './socket.js';

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
