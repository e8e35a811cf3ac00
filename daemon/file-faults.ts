// Files and folders that cannot be used: what the system says of them, in words, and what to do about it.

import { readlinkSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { ERRNO, type ErrnoCode, KernelError } from '../kernel/errno.js';

/** Why a file cannot be used. */
export interface FileFault {
  /** What is wrong, as the end of a sentence. */
  readonly words: string;
  /** What to do about it; none for what the system rarely says. */
  readonly hint?: string;
}

const FAULTS: Readonly<Record<string, readonly [words: string, hint: string]>> = {
  ENOENT: ['no such file', 'check the path'],
  EACCES: ['permission denied', 'make it readable for the user who runs this'],
  EPERM: ['not permitted', 'only its owner may'],
  EISDIR: ['it is a directory', 'name the file in it'],
  ENOTDIR: ['part of the path is not a directory', 'check the path'],
  ELOOP: ['too many symbolic links', 'check the path'],
  ENAMETOOLONG: ['the path is too long', 'check the path'],
  ENOSPC: ['no room is left on its disk', 'make room there, or choose another place'],
  EDQUOT: ['the quota of its disk is used up', 'make room there, or choose another place'],
  EFBIG: ['it would be larger than is allowed', 'choose another place'],
  EROFS: ['its disk can only be read', 'choose another place'],
  EMFILE: ['too many files are open', 'raise LimitNOFILE= of the service'],
};

/** What is allowed to whom is one question to a user, whichever part of the system says no. */
const DENIED: ReadonlySet<string> = new Set(['EROFS', 'EPERM']);

/** What to do in place of what is usual. */
export interface Mend {
  /** When the file itself may not be used, and not only reached. */
  readonly denied?: string;
  /** Whatever is wrong. */
  readonly always?: string;
}

/** What an error of `node:fs` says. @param path that was used */
export function faultOf(error: unknown, path: string, { denied, always }: Mend = {}): FileFault {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  const [words, usual] = FAULTS[code] ?? [message];
  const hint = always ?? (code === 'EACCES' ? (wayTo(path) ?? denied) : undefined) ?? usual;
  return { words, ...(hint !== undefined && { hint }) };
}

/** What opens the way to a file; `undefined` when it is open. */
function wayTo(path: string): string | undefined {
  const closed = closedFolder(path);
  return closed === undefined ? undefined : `let this user through: sudo chmod o+x ${shellWord(closed)}`;
}

/** The folder on the way to a file, links followed, that this user may not go through; `undefined` when there is none. */
function closedFolder(path: string): string | undefined {
  let at = '/';
  for (const word of resolve(path).split('/')) {
    const folder = at;
    at = join(folder, word);
    try {
      statSync(at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') return undefined;
      const target = linkAt(at);
      // The folder is open then, and one behind the link is not.
      return target === undefined ? folder : closedFolder(resolve(realpathSync(folder), target));
    }
  }
  return undefined;
}

/** Where a link leads; `undefined` for what is none, or cannot be looked at. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * An error of `node:fs` as the daemon tells it: `code` is the system's, or `EACCES` and `EIO` in place of those that it has no name for.
 *
 * @param done what could not be done to the file: `read`, `written`
 */
export function fileError(error: unknown, path: string, done: string, mend: Mend = {}): KernelError {
  const { code = '' } = error as NodeJS.ErrnoException;
  const { words, hint } = faultOf(error, path, mend);
  return new KernelError(codeOf(code), `${path} cannot be ${done}: ${words}`, {
    ...(hint !== undefined && { hint }),
    subject: path,
    cause: error,
  });
}

/** {@link fileError} of a file that cannot be made or written to. */
export function writeError(error: unknown, path: string): KernelError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return fileError(error, path, 'written', {
    denied: 'choose a place that this user may write to',
    ...(missing && { always: 'the folder for it has to be there' }),
  });
}

function codeOf(code: string): ErrnoCode {
  if (DENIED.has(code)) return 'EACCES';
  return isErrno(code) ? code : 'EIO';
}

function isErrno(code: string): code is ErrnoCode {
  return Object.hasOwn(ERRNO, code);
}

/** The user that this process runs as, for a shell. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    // One that passwd(5) does not have, as with DynamicUser=.
    return String(process.geteuid?.() ?? 0);
  }
}

/** A path as one word of a shell. */
export function shellWord(path: string): string {
  return /^[\w@%+,./:=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
