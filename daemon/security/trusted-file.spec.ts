// Specification of trusted files: what others may change is refused, wherever on the way they may, and what mends it is said.

import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KernelError } from '../../kernel/errno.js';
import {
  alsoTrustOwnerOf,
  checkTrusted,
  checkTrustedProgram,
  distrustOf,
  distrustOfProgram,
  type Trustee,
  type TrustKind,
} from './trusted-file.js';

const isRoot = process.getuid?.() === 0;
const ME = process.getuid?.() ?? 0;
const MY_GROUP = process.getgid?.() ?? 0;
const STRANGER = 4242;

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-trust.'));
  file = join(directory, 'module.mjs');
  writeFileSync(file, 'export {};\n', { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The daemon's user, with the groups of group(5) that are given. */
const user = (groups = '', more: Partial<Trustee> = {}): Trustee => ({
  uid: ME,
  gid: MY_GROUP,
  groups: () => groups,
  accounts: () => 'root:x:0:0:\ngpio-irqd:x:4343:4344::/nonexistent:/usr/sbin/nologin\n',
  ...more,
});

function refusal(path: string, kind: TrustKind = 'code', who: Trustee = user()): KernelError | undefined {
  try {
    checkTrusted(path, kind, who);
    return undefined;
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
}

describe('a file', () => {
  test.each(['code', 'secret', 'config'] as const)('of the user alone is good as %s', (kind) => {
    expect(refusal(file, kind)).toBeUndefined();
  });

  test('that everyone may write is refused with its mode and the command that mends it', () => {
    chmodSync(file, 0o606);
    const error = refusal(file);
    expect(error?.code).toBe('EACCES');
    expect(error?.message).toBe(`${file} can be changed by everyone (mode 0606), and it would be run by the daemon`);
    expect(error?.hint).toBe(`sudo chmod o-w ${file}`);
    chmodSync(file, 0o604);
    expect(refusal(file)).toBeUndefined();
  });

  test('that is not there, is a directory, or is no file at all', () => {
    expect(refusal(join(directory, 'none'))?.code).toBe('ENOENT');
    expect(refusal(join(file, 'below'))?.code).toBe('ENOTDIR');
    expect(refusal(directory)?.code).toBe('EISDIR');
    expect(refusal('/dev/null', 'config')?.code).toBe('EACCES');
  });

  test('whose name a shell would take apart is quoted in the command', () => {
    const odd = join(directory, "it's; odd");
    writeFileSync(odd, '');
    chmodSync(odd, 0o602);
    expect(refusal(odd)?.hint).toBe(`sudo chmod o-w '${directory}/it'\\''s; odd'`);
  });

  test.runIf(isRoot)('of another user is refused, unless that is a friend, or the user who asks', () => {
    chownSync(file, STRANGER, 0);
    expect(refusal(file)).toMatchObject({
      code: 'EACCES',
      message: expect.stringContaining(`by user ${STRANGER} (mode 0600)`),
      hint: `sudo chown root: ${file}`,
    });
    expect(refusal(file, 'code', user('', { friends: new Set([STRANGER]) }))).toBeUndefined();
    expect(refusal(file, 'code', user('', { uid: STRANGER }))).toBeUndefined();
  });
});

describe("the service's own file", () => {
  test.runIf(isRoot)('is trusted by whoever checks it, and so is a secret of its group', () => {
    chownSync(file, 4343, 4344);
    chmodSync(file, 0o640);
    expect(refusal(file, 'secret')).toBeUndefined();
    expect(refusal(file, 'secret', user('gpio-irqd:x:4344:alice'))?.message).toContain('group gpio-irqd may read');
    expect(refusal(file, 'secret', user('', { accounts: () => '' }))?.message).toContain('user 4343');
  });
});

describe('by hand', () => {
  test.runIf(isRoot)('the owner of the configuration is trusted with what it names', () => {
    chownSync(file, STRANGER, 0);
    expect(distrustOf(file, 'code')?.message).toContain(`by user ${STRANGER}`);
    alsoTrustOwnerOf(file);
    expect(distrustOf(file, 'code')).toBeUndefined();
  });

  test('nothing is said of what is not there, or cannot be looked at', () => {
    expect(distrustOf(join(directory, 'none'), 'secret')).toBeUndefined();
    expect(distrustOf(join(file, 'below'), 'code')).toBeUndefined();
    expect(distrustOf(directory, 'code')?.message).toBe(`${directory} is a directory`);
    expect(distrustOfProgram('no-such-program', '/usr/bin')).toBeUndefined();
  });
});

describe('a group that may write', () => {
  const group = (members: string) => `root:x:0:\nleds:x:${STRANGER}:${members}\nstaff:x:50:`;

  test.runIf(isRoot)('is refused by name, and by number when it has none', () => {
    chownSync(file, 0, STRANGER);
    chmodSync(file, 0o660);
    expect(refusal(file, 'config', user(group('')))).toMatchObject({
      message: `${file} can be changed by group leds (mode 0660), and it says what the daemon runs`,
      hint: `sudo chmod g-w ${file}`,
    });
    expect(refusal(file)?.message).toContain(`by group ${STRANGER} `);
  });

  test.runIf(isRoot)("is good when it is the user's own and nobody else is in it", () => {
    chownSync(file, 0, STRANGER);
    chmodSync(file, 0o660);
    expect(refusal(file, 'code', user(group(''), { gid: STRANGER }))).toBeUndefined();
    expect(refusal(file, 'code', user(group('root'), { gid: STRANGER }))).toBeUndefined();
    expect(refusal(file, 'code', user('', { gid: STRANGER }))).toBeUndefined();
    expect(refusal(file, 'code', user(group('root,alice'), { gid: STRANGER }))?.code).toBe('EACCES');
  });

  test.runIf(isRoot)('is not good for being called staff, outside of where staff may install', () => {
    chownSync(file, 0, 50);
    chmodSync(file, 0o660);
    expect(refusal(file, 'code', user(group('')))?.message).toContain('by group staff');
  });
});

describe.runIf(isRoot)('where staff may install', () => {
  const NOBODY = 65_534;

  test.each([
    ['staff may write as long as nobody is in it', 50, '', false, true],
    ['staff may not when somebody is', 50, 'alice', false, false],
    ['a group that cannot be told apart is staff where Debian says so', NOBODY, '', true, true],
    ['and is not when somebody is in staff', NOBODY, 'alice', true, false],
    ['and is a stranger elsewhere', NOBODY, '', false, false],
  ])('%s', (_, gid, members, staffHasLocal, good) => {
    const local = join(directory, 'local');
    const program = join(local, 'bin', 'notify');
    mkdirSync(join(local, 'bin'), { recursive: true });
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    for (const path of [local, join(local, 'bin')]) {
      chownSync(path, 0, gid);
      chmodSync(path, 0o2775);
    }
    const staff = (at?: string) =>
      user(`staff:x:50:${members}`, { staffHasLocal: () => staffHasLocal, ...(at !== undefined && { local: at }) });
    expect(refusal(program, 'code', staff(local)) === undefined).toBe(good);
    expect(refusal(program, 'code', staff(`${local}/bi`))?.code).toBe('EACCES');
    expect(refusal(program, 'code', staff())?.code).toBe('EACCES');
  });
});

describe('a secret', () => {
  test('that everyone may read is refused; code may be read by everyone', () => {
    chmodSync(file, 0o644);
    expect(refusal(file)).toBeUndefined();
    expect(refusal(file, 'secret')).toMatchObject({
      code: 'EACCES',
      message: `${file} is a secret that everyone may read (mode 0644)`,
      hint: `sudo chmod o-rwx ${file}`,
    });
  });

  test.runIf(isRoot)('may be read by a group that is the own one of the user, and of nobody else', () => {
    chownSync(file, 0, STRANGER);
    chmodSync(file, 0o640);
    expect(refusal(file, 'secret')).toMatchObject({ code: 'EACCES', hint: `sudo chmod g-rwx ${file}` });
    expect(refusal(file, 'secret', user('', { gid: STRANGER }))).toBeUndefined();
    const socketUser = user(`gpio-irqd:x:${STRANGER}:alice`, { gid: STRANGER });
    expect(refusal(file, 'secret', socketUser)?.message).toContain('group gpio-irqd may read');
  });
});

describe('a directory on the way', () => {
  test('that everyone may write is refused, unless it is sticky', () => {
    chmodSync(directory, 0o777);
    expect(refusal(file)).toMatchObject({
      code: 'EACCES',
      message: `${file} can be replaced through ${directory} by everyone (mode 0777), and it would be run by the daemon`,
      hint: `sudo chmod o-w ${directory}`,
    });
    chmodSync(directory, 0o1777);
    expect(refusal(file)).toBeUndefined();
  });

  test.runIf(isRoot)('of another user is refused, and nobody is told to take it from them', () => {
    chownSync(directory, STRANGER, 0);
    const error = refusal(file);
    expect(error?.message).toContain(`through ${directory} by user ${STRANGER}`);
    expect(error?.hint).toBe('Keep it where only root may write, e.g. in /etc/gpio-irqd.');
  });

  test.runIf(isRoot)("a stranger's file in a sticky directory is a stranger's file", () => {
    chmodSync(directory, 0o1777);
    chownSync(file, STRANGER, 0);
    expect(refusal(file)?.message).toContain(`by user ${STRANGER}`);
  });
});

describe('a symbolic link', () => {
  test('counts with every directory of the way that it points to', () => {
    const open = join(directory, 'open');
    mkdirSync(open);
    writeFileSync(join(open, 'module.mjs'), '');
    const link = join(directory, 'link.mjs');
    symlinkSync('./open/../open/module.mjs', link);
    expect(refusal(link)).toBeUndefined();
    chmodSync(open, 0o777);
    expect(refusal(link)?.message).toContain(`${link} can be replaced through ${open} by everyone`);
  });

  test('whose target can be changed is refused with the target', () => {
    const link = join(directory, 'link.mjs');
    symlinkSync(file, link);
    chmodSync(file, 0o622);
    expect(refusal(link)).toMatchObject({
      message: expect.stringContaining(`through ${file}, its target, by`),
      hint: expect.stringContaining(file),
    });
  });

  test('that goes round in a circle is given up', () => {
    const link = join(directory, 'circle');
    symlinkSync(link, link);
    expect(refusal(link)?.message).toMatch(/too many symbolic links/);
  });

  test.runIf(isRoot)(
    "of a stranger is refused where a stranger may make links, and its owner is nobody's business elsewhere",
    () => {
      const link = join(directory, 'link.mjs');
      symlinkSync(file, link);
      lchownSync(link, STRANGER, 0);
      expect(refusal(link)).toBeUndefined();
      chmodSync(directory, 0o1777);
      expect(refusal(link)?.message).toContain(`by user ${STRANGER}`);
    },
  );
});

describe('a program', () => {
  test('is looked for where the search path says, and checked where it is found', () => {
    const program = join(directory, 'notify');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const search = `relative:/nonexistent:${directory}:/usr/bin`;
    expect(checkTrustedProgram('notify', search, user())).toBe(program);
    expect(checkTrustedProgram(program, '', user())).toBe(program);
    chmodSync(program, 0o757);
    expect(() => checkTrustedProgram('notify', search, user())).toThrow(`${program} can be changed by everyone`);
  });

  test('that cannot be run at all is left to the call that runs it', () => {
    expect(checkTrustedProgram('no-such-program', '/usr/bin', user())).toBe('no-such-program');
    expect(checkTrustedProgram(file, '', user())).toBe(file);
    expect(checkTrustedProgram('/', '', user())).toBe('/');
  });
});

test('whatever mode file and directory have, nobody but the user may write what is trusted', () => {
  const mode = fc.integer({ min: 0, max: 0o777 });
  const kinds = fc.constantFrom<TrustKind>('code', 'secret', 'config');
  fc.assert(
    fc.property(mode, mode, fc.boolean(), kinds, (fileMode, directoryMode, sticky, kind) => {
      chmodSync(file, fileMode);
      // The user's own search permission stays, or nobody but root could look.
      chmodSync(directory, directoryMode | 0o700 | (sticky ? 0o1000 : 0));
      const strange = user(`mine:x:${MY_GROUP}:alice`, { gid: MY_GROUP });
      const groupCounts = MY_GROUP === 0 ? 0 : 0o020;
      const bad =
        (fileMode & (0o002 | groupCounts)) !== 0 ||
        (!sticky && (directoryMode & (0o002 | groupCounts)) !== 0) ||
        (kind === 'secret' && (fileMode & (0o004 | (groupCounts << 1))) !== 0);
      expect(refusal(file, kind, strange) !== undefined).toBe(bad);
    }),
  );
});
