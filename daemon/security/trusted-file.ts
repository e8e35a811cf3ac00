// Whether a file can be trusted: nobody but root and the daemon's user may have put it there, changed it or, for a secret, read it.

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { KernelError } from '../../kernel/errno.js';
import { faultOf, shellWord } from '../file-faults.js';

/**
 * What the file is to the daemon: `code` it runs (a handler module, a program), a `secret` it reads (a password, a key, a
 * token), or `config`, which says what is run.
 */
export type TrustKind = 'code' | 'secret' | 'config';

/** Who asks. Tests put their own here. */
export interface Trustee {
  readonly uid: number;
  readonly gid: number;
  /** Others who are trusted, by their numbers: see {@link alsoTrustOwnerOf}. */
  readonly friends?: ReadonlySet<number>;
  /** The text of group(5). */
  groups(): string;
  /** The text of passwd(5). */
  accounts(): string;
  /** Where Debian's group staff may install. Default `/usr/local`. */
  readonly local?: string;
  /** Whether Debian has given that to the group, as on machines that were installed long ago. */
  readonly staffHasLocal?: () => boolean;
}

/** Where a program without a slash is looked for when nothing else is said. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** As path_resolution(7): more links than these are a circle. */
const LINKS_MAX = 40;
const STICKY = 0o1000;
/** Debian's group of those who may install into /usr/local, and so may be root (Debian policy 9.1.2). */
const STAFF = 50;
/** Whoever is not in this process's user namespace: with `PrivateUsers=` all but root and the service. */
const NOBODY = 65_534;
/** The user of the shipped unit: what is its own is checked by others too, as by root with `gpio-irqd check`. */
const SERVICE = 'gpio-irqd';

const NOUN: Readonly<Record<TrustKind, string>> = {
  code: 'it would be run by the daemon',
  secret: 'it is a secret',
  config: 'it says what the daemon runs',
};

const friends = new Set<number>();

/**
 * Trusts the owner of a file from now on, in this process: for one that a person named who starts the daemon by hand. Not for
 * a service, which nobody watches.
 */
export function alsoTrustOwnerOf(path: string): void {
  try {
    friends.add(statSync(path).uid);
  } catch {
    // Whoever reads it says why it cannot be.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The user that this process runs as. */
function thisUser(): Trustee {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    friends,
    groups: () => textOf('/etc/group'),
    accounts: () => textOf('/etc/passwd'),
    staffHasLocal: () => existsSync('/etc/staff-group-for-usr-local'),
  };
}

/**
 * Refuses a file that others than root and the daemon's user can change, or a secret that others can read.
 *
 * Every directory on the way counts, those of symbolic links too: who can write to one can put another file in the place of
 * this one, unless the directory is sticky, as /tmp is. What may be written by a group is refused, unless that is root's or the user's own
 * group and nobody else is in it. After that the file is safe until its owner changes it, so it may be opened by its path.
 *
 * Blocks for a few lstat(2): for the start, a reload, and before a program is run; not for the hot path.
 *
 * @param path absolute, or relative to the current directory
 * @throws KernelError `EACCES` with the path, its mode and the command that mends it; `ENOENT`, `ENOTDIR`, `EISDIR` or
 * `EIO` when there is no such file, or none that can be looked at
 */
export function checkTrusted(path: string, kind: TrustKind, user: Trustee = thisUser()): void {
  const file = follow({ path, kind, user }, resolve(path));
  if (file.info.isDirectory()) throw new KernelError('EISDIR', `${path} is a directory`, { subject: path });
  if (!file.info.isFile()) throw new KernelError('EINVAL', `${path} is not a regular file`, { subject: path });
  if (kind === 'secret') checkUnread({ path, kind, user }, file);
}

/** What is wrong with a file, as {@link checkTrusted} says it; `undefined` when nothing is, or when it is not there. */
export function distrustOf(
  path: string,
  kind: TrustKind,
): { readonly message: string; readonly hint?: string } | undefined {
  return spokenOf(() => checkTrusted(path, kind));
}

/** As {@link distrustOf}, of a program as {@link checkTrustedProgram} finds it. */
export function distrustOfProgram(program: string, searchPath: string): ReturnType<typeof distrustOf> {
  return spokenOf(() => checkTrustedProgram(program, searchPath));
}

function spokenOf(check: () => unknown): ReturnType<typeof distrustOf> {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const { code, message, hint } = error;
    // Where one may not look, one cannot tell.
    if (code === 'ENOENT' || error.cause !== undefined) return undefined;
    return hint === undefined ? { message } : { message, hint };
  }
}

/**
 * Finds a program as execvp(3) does and checks it as {@link checkTrusted} does with `code`.
 *
 * @param program a path with a slash, or a name that is looked for
 * @param searchPath directories, separated by colons
 * @returns the path of the program; a name that is found nowhere as it is, for the call that runs it to complain of
 */
export function checkTrustedProgram(program: string, searchPath: string, user?: Trustee): string {
  const candidates = program.includes('/')
    ? [program]
    : searchPath.split(':').flatMap((directory) => (isAbsolute(directory) ? [join(directory, program)] : []));
  const found = candidates.find((path) => isExecutable(path));
  if (found === undefined) return program;
  checkTrusted(found, 'code', user);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

interface Question {
  /** As the user named it. */
  readonly path: string;
  readonly kind: TrustKind;
  readonly user: Trustee;
}

/** A file or directory on the way, links resolved. */
interface Entry {
  readonly at: string;
  readonly info: Stats;
}

/** Goes from the root directory to the file as path_resolution(7) does, and checks each step. */
function follow(question: Question, absolute: string): Entry {
  let here: Entry = { at: '/', info: look(question, '/') };
  check(question, here);
  let links = 0;
  const rest = words(absolute);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const at = join(here.at, word);
    const info = look(question, at);
    if (!info.isSymbolicLink()) {
      here = { at, info };
      check(question, here);
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw new KernelError('EIO', `${question.path}: too many symbolic links`);
    // Where only trusted users may write, only they can have made the link, whoever owns it.
    if (isShared(question.user, here.info)) checkOwner(question, { at, info });
    const target = asked(question, at, (path) => readlinkSync(path));
    rest.unshift(...words(target));
    if (isAbsolute(target)) here = { at: '/', info: look(question, '/') };
  }
  return here;
}

function words(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.');
}

function look(question: Question, at: string): Stats {
  return asked(question, at, (path) => lstatSync(path));
}

/** What the system says of a place on the way; it may change under our eyes. */
function asked<T>({ path }: Question, at: string, call: (at: string) => T): T {
  try {
    return call(at);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const known = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' ? code : 'EIO';
    const where = at === resolve(path) ? path : `${path}: ${at}`;
    const { words, hint } = faultOf(error, at);
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be looked at: ${words}`;
    throw new KernelError(known, `${where} ${what}`, {
      ...(hint !== undefined && { hint }),
      subject: path,
      cause: error,
    });
  }
}

function check(question: Question, entry: Entry): void {
  checkOwner(question, entry);
  const { info } = entry;
  // In a sticky directory only its owner and an entry's own may put something else in the entry's place.
  if (info.isDirectory() && (info.mode & STICKY) !== 0) return;
  if ((info.mode & 0o002) !== 0) refuse(question, entry, 'everyone', `chmod o-w ${shellWord(entry.at)}`);
  if ((info.mode & 0o020) !== 0 && !isOwnGroup(question.user, entry)) {
    refuse(question, entry, groupName(question.user, info.gid), `chmod g-w ${shellWord(entry.at)}`);
  }
}

function checkOwner(question: Question, entry: Entry): void {
  const { user } = question;
  const owner = entry.info.uid;
  if (owner === 0 || owner === user.uid || user.friends?.has(owner) === true || owner === service(user)?.uid) return;
  // Whose home it is cannot be changed for the sake of one file in it.
  const mend = entry.info.isDirectory() ? undefined : `chown root: ${shellWord(entry.at)}`;
  refuse(question, entry, owner === NOBODY ? 'another user' : `user ${owner}`, mend);
}

function checkUnread({ path, user }: Question, entry: Entry): void {
  const { mode, gid } = entry.info;
  const everyone = (mode & 0o004) !== 0;
  if (!everyone && ((mode & 0o040) === 0 || isOwnGroup(user, entry))) return;
  const who = everyone ? 'everyone' : groupName(user, gid);
  throw new KernelError('EACCES', `${path} is a secret that ${who} may read (mode ${octal(mode)})`, {
    hint: `sudo chmod ${everyone ? 'o-rwx' : 'g-rwx'} ${shellWord(entry.at)}`,
    subject: path,
  });
}

/** Whether others may make entries in a directory, which being sticky does not keep them from. */
function isShared(user: Trustee, directory: Stats): boolean {
  if ((directory.mode & 0o002) !== 0) return true;
  return (directory.mode & 0o020) !== 0 && !isOwnGroup(user, { at: '', info: directory });
}

/** Whether a group is as good as root or the user: theirs, and nobody else is in it. */
function isOwnGroup(user: Trustee, { at, info: { gid } }: Entry): boolean {
  if (gid === 0) return true;
  const local = user.local ?? '/usr/local';
  const staff =
    (at === local || at.startsWith(`${local}/`)) &&
    (gid === STAFF || (gid === NOBODY && user.staffHasLocal?.() === true));
  if (gid !== user.gid && !staff && gid !== service(user)?.gid) return false;
  return (groupOf(user, staff ? STAFF : gid)?.members ?? []).length === 0;
}

/** The numbers of the service's user, where there is one. */
function service(user: Trustee): { readonly uid: number; readonly gid: number } | undefined {
  for (const line of user.accounts().split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === SERVICE) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** `undefined` when group(5) does not have it, as with DynamicUser=: then nobody can have been put into it. */
function groupOf(
  user: Trustee,
  gid: number,
): { readonly name: string; readonly members: readonly string[] } | undefined {
  for (const line of user.groups().split('\n')) {
    const [name, , id, members = ''] = line.split(':');
    if (name === undefined || id !== String(gid)) continue;
    return { name, members: members.split(',').filter((member) => member !== '' && member !== 'root') };
  }
  return undefined;
}

function groupName(user: Trustee, gid: number): string {
  return gid === NOBODY ? 'another group' : `group ${groupOf(user, gid)?.name ?? gid}`;
}

function refuse({ path, kind }: Question, { at, info }: Entry, who: string, mend: string | undefined): never {
  const how =
    at === resolve(path)
      ? 'can be changed'
      : `can be replaced through ${at}${info.isDirectory() ? '' : ', its target,'}`;
  const hint = mend === undefined ? 'Keep it where only root may write, e.g. in /etc/gpio-irqd.' : `sudo ${mend}`;
  const message = `${path} ${how} by ${who} (mode ${octal(info.mode)}), and ${NOUN[kind]}`;
  throw new KernelError('EACCES', message, { hint, subject: path });
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
