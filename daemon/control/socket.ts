// The control socket in the file system: where it is, who may use it, and what to do about one that is already there.

import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import { fileError } from '../file-faults.js';

/** Longest path of a unix socket on Linux: sun_path has 108 bytes, one of them the terminator. */
const PATH_MAX_BYTES = 107;

/** What always helps. */
const ELSEWHERE = 'Choose another place with --socket PATH.';

/** What decides where the socket is. */
export interface SocketEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Directory for temporary files. */
  readonly temporary?: string;
}

/**
 * Where the control socket is when `--socket` does not say: the service's runtime directory (`RUNTIME_DIRECTORY`, which
 * systemd sets), else the user's (`XDG_RUNTIME_DIR`), else a directory of the user's own among the temporary files.
 */
export function defaultSocketPath(where: SocketEnvironment): string {
  const { env, uid, temporary = tmpdir() } = where;
  // Several directories are separated by colons (systemd.exec(5)); ours is the first.
  const runtime = env.RUNTIME_DIRECTORY?.split(':', 1)[0];
  if (runtime !== undefined && runtime !== '') return join(runtime, 'control.sock');
  if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, 'gpio-irqd', 'control.sock');
  return join(temporary, `gpio-irqd-${uid}`, 'control.sock');
}

/**
 * Checks that the directory of a socket is safe, and creates it (mode 0700) when it is ours to create.
 *
 * In a directory that others may write to, another user could put a socket of their own in the place of ours. Errors:
 * `EACCES` when it belongs to another user (root apart) or others may write to it, `ENOENT` when its parent is missing.
 */
export function prepareDirectory(socketPath: string, uid: number): void {
  const directory = dirname(resolve(socketPath));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw directoryError(directory, code, error);
  }
  checkDirectory(directory, uid);
}

function directoryError(directory: string, code: string | undefined, cause: unknown): KernelError {
  const always = 'Create the directory, or choose another place with --socket PATH.';
  if (code === 'ENOENT')
    return new KernelError('ENOENT', `${dirname(directory)} does not exist`, { hint: always, cause });
  return fileError(cause, directory, 'created', { always });
}

/** Throws `EACCES` unless a directory belongs to `uid` or root, and nobody else may put files into it; `ENOENT` for none. */
export function checkDirectory(directory: string, uid: number): void {
  const info = asked(directory, 'looked at', () => lstatSync(directory));
  const hint = 'Choose a directory of your own with --socket PATH, or remove this one.';
  const refuse = (why: string): never => {
    throw new KernelError('EACCES', `${directory} ${why}: the control socket would not be safe there`, { hint });
  };
  // A link is followed only when its target is named outright: its owner could point it elsewhere.
  if (!info.isDirectory()) refuse('is not a directory');
  if (info.uid !== uid && info.uid !== 0) refuse(`belongs to user ${info.uid}`);
  const sticky = (info.mode & 0o1000) !== 0;
  if ((info.mode & 0o002) !== 0 && !sticky) refuse('can be written to by everyone');
}

function tryConnect(path: string): Promise<'alive' | 'dead' | 'unknown'> {
  return new Promise((settle) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      settle('alive');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') settle('dead');
      // EAGAIN: its queue of connections is full, so somebody has it.
      else settle(error.code === 'EAGAIN' ? 'alive' : 'unknown');
    });
  });
}

function statOf(path: string): ReturnType<typeof lstatSync> | undefined {
  return asked(path, 'looked at', () => lstatSync(path, { throwIfNoEntry: false }));
}

/** What the system answers, with its errors as the user is told them. @param done what is to be done to the file */
function asked<T>(path: string, done: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(error, path, done, { always: ELSEWHERE });
  }
}

/**
 * Makes way for a new socket: removes one that its daemon left behind.
 *
 * `EBUSY` when a daemon answers there, `EEXIST` when it is not a socket at all, `EACCES` when that cannot be found out, or when it is
 * somebody else's.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  const before = statOf(path);
  if (before === undefined) return;
  if (!before.isSocket()) {
    throw new KernelError('EEXIST', `${path} exists and is not a socket`, {
      hint: 'Remove it, or choose another place with --socket PATH.',
    });
  }
  const state = await tryConnect(path);
  if (state === 'alive') {
    throw new KernelError('EBUSY', `another gpio-irqd is listening at ${path}`, {
      hint: 'Stop it, or start this one with another --socket PATH.',
    });
  }
  if (state === 'unknown') {
    throw new KernelError('EACCES', `whether ${path} is in use cannot be found out`, {
      hint: ELSEWHERE,
    });
  }
  // Not if another daemon put its own there meanwhile.
  const after = statOf(path);
  if (after !== undefined && after.ino === before.ino && after.dev === before.dev) {
    asked(path, 'removed', () => unlinkSync(path));
  }
}

/** `EINVAL` for a path that does not fit a socket address. */
export function checkPathLength(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= PATH_MAX_BYTES && !path.includes('\0') && path !== '') return;
  throw new KernelError(
    'EINVAL',
    `the path of the control socket has ${bytes} bytes; 1 to ${PATH_MAX_BYTES} are possible`,
    { hint: ELSEWHERE },
  );
}

/**
 * Binds a server to a path with mode 0660: user and group, and nobody in between.
 *
 * The file mode comes from the umask; binding is synchronous, so nothing else of the event loop sees that umask.
 */
export function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolveListen, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EADDRINUSE') reject(fileError(error, path, 'made', { always: ELSEWHERE }));
      else reject(new KernelError('EBUSY', `${path} is in use`, { hint: ELSEWHERE, cause: error }));
    };
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolveListen();
    });
    const umask = process.umask(0o117);
    try {
      server.listen({ path, backlog: 511 });
    } finally {
      process.umask(umask);
    }
  });
}
