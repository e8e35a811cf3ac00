// Specification of the install script: what it writes, keeps, runs, refuses and takes away.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type InstallHost, install, main } from './install.js';
import { execWord, findPackageRoot, isInHome, renderConfig, renderUnit } from './install-plan.js';

const HERE = import.meta.dirname;
const UNIT = 'etc/systemd/system/gpio-irqd.service';
const CONFIG = 'etc/gpio-irqd/config.yaml';
const STAGED = [
  'etc/gpio-irqd/config.yaml',
  'etc/systemd/system/gpio-irqd.service',
  'etc/sysusers.d/gpio-irqd.conf',
  'etc/udev/rules.d/99-gpio-irqd.rules',
];

let directory: string;
let packageRoot: string;
let target: string;
let printed: string[];
let ran: string[];

/** A package as npm installs it, with stand-ins for what other folders own. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-install-'));
  chmodSync(directory, 0o755);
  packageRoot = join(directory, 'package');
  target = join(directory, 'target');
  for (const name of ['gpio-irqd.service', 'gpio-irqd.sysusers.conf', '99-gpio-irqd.rules', 'drop-ins/network.conf']) {
    cpSync(join(HERE, name), join(packageRoot, 'systemd', name));
  }
  const files = {
    'examples/button-led.yaml': 'lines: {}\n',
    'dist/daemon/main.js': '',
    'package.json': '{"name": "gpio-irqd"}',
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(packageRoot, name)), { recursive: true });
    writeFileSync(join(packageRoot, name), content);
  }
  printed = [];
  ran = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

/** Root on a Debian, whose `/` is the target directory. */
function host(change: Partial<InstallHost> = {}): InstallHost {
  return {
    packageRoot,
    filesystem: target,
    uid: 0,
    booted: true,
    execPath: join(packageRoot, 'dist/daemon/main.js'),
    privateDirectories: [],
    hasAddon: true,
    run: (command, args) => Promise.resolve(void ran.push([command, ...args].join(' '))),
    print: (line) => void printed.push(line),
    ...change,
  };
}

function filesIn(root: string): string[] {
  if (!existsSync(root)) return [];
  const all = readdirSync(root, { recursive: true, withFileTypes: true });
  return all.flatMap((e) => (e.isFile() ? [join(e.parentPath, e.name).slice(root.length + 1)] : [])).sort();
}

const read = (path: string): string => readFileSync(join(target, path), 'utf8');

test('what is installed can be read by the service, whatever the umask', async () => {
  const umask = process.umask(0o077);
  try {
    expect(await main(['--root', target], host)).toBe(0);
  } finally {
    expect(process.umask(umask)).toBe(0o077);
  }
  const modeOf = (path: string): string => (statSync(join(target, path)).mode & 0o777).toString(8);
  expect(['etc/gpio-irqd', 'etc/gpio-irqd/config.yaml', 'etc/systemd/system/gpio-irqd.service'].map(modeOf)).toEqual([
    '755',
    '644',
    '644',
  ]);
});

describe('with --root', () => {
  test('the files are staged and nothing is run, by any user and without systemd', async () => {
    await install({ root: target, node: '/usr/bin/node', entry: '/opt/g/main.js' }, host({ uid: 1000, booted: false }));
    expect(filesIn(target)).toEqual(STAGED);
    expect(read(UNIT)).toContain(
      '\nExecStart=/usr/bin/node /opt/g/main.js run --driver hardware --config /etc/gpio-irqd/',
    );
    expect(ran).toEqual([]);
  });

  test('--uninstall leaves only the configuration', async () => {
    await install({ root: target }, host());
    await install({ root: target, uninstall: true }, host());
    expect(filesIn(target)).toEqual([CONFIG]);
    expect(ran).toEqual([]);
  });
});

describe('the network', () => {
  const DROP_IN = 'etc/systemd/system/gpio-irqd.service.d/50-network.conf';
  const has = (): boolean => existsSync(join(target, DROP_IN));

  test('is there when it is asked for, stays with the next installation, and goes when that is asked for', async () => {
    await install({}, host());
    expect(has()).toBe(false);
    expect(await main(['--network', '--root', target], host)).toBe(0);
    expect(read(DROP_IN)).toMatch(/^PrivateNetwork=no$/m);
    await install({}, host());
    expect(has()).toBe(true);
    expect(await main(['--no-network', '--root', target], host)).toBe(0);
    expect(has()).toBe(false);
  });

  test('goes with the service', async () => {
    await install({ network: true }, host());
    await install({ uninstall: true }, host());
    expect(has()).toBe(false);
  });
});

describe('on the machine itself', () => {
  test('user, udev rule and unit are made known, in this order', async () => {
    await install({}, host());
    expect(filesIn(target)).toEqual(STAGED);
    expect(ran).toEqual([
      'systemd-sysusers /etc/sysusers.d/gpio-irqd.conf',
      'udevadm control --reload',
      'udevadm trigger --subsystem-match=gpio',
      'systemctl daemon-reload',
    ]);
    expect(printed.join('\n')).toContain('sudo systemctl enable --now gpio-irqd');
  });

  test('what V8 compiles is kept for the starts to come, if that can be', async () => {
    const warm = join(packageRoot, 'dist/daemon/warm.js');
    writeFileSync(warm, '');
    await install({ dryRun: true }, host());
    expect(ran).toEqual([]);
    await install({}, host());
    expect(ran).toContain(`${host().execPath} ${warm}`);
    const full = (_: string, [first = '']: readonly string[]) =>
      first === warm ? Promise.reject(new Error('no space left on device')) : Promise.resolve();
    await expect(install({}, host({ run: full }))).resolves.toBeUndefined();
  });

  test('a second run changes nothing', async () => {
    await install({}, host());
    printed = [];
    await install({}, host());
    expect(printed.filter((line) => line.startsWith('unchanged'))).toHaveLength(4);
    expect(printed.filter((line) => /^(wrote|removed)/.test(line))).toEqual([]);
  });

  test("the user's configuration is kept, an edited unit is written again", async () => {
    await install({}, host());
    writeFileSync(join(target, CONFIG), 'mine\n');
    writeFileSync(join(target, UNIT), 'edited\n');
    await install({}, host());
    expect(read(CONFIG)).toBe('mine\n');
    expect(read(UNIT)).toContain('Type=notify');
    expect(printed).toContain(`kept ${join(target, CONFIG)}`);
  });

  test('without the addon a drop-in lets the tool notify, and goes when it is no longer needed', async () => {
    const dropIn = `${UNIT}.d/50-notify-access.conf`;
    await install({}, host({ hasAddon: false }));
    expect(read(dropIn)).toContain('[Service]\nNotifyAccess=all\n');
    await install({}, host());
    expect(filesIn(target)).toEqual(STAGED);
    expect(existsSync(join(target, `${UNIT}.d`))).toBe(false);
  });

  test("--uninstall stops the service first, and leaves the user's drop-ins", async () => {
    await install({}, host({ hasAddon: false }));
    writeFileSync(join(target, `${UNIT}.d`, 'mine.conf'), '');
    ran = [];
    await install({ uninstall: true }, host());
    expect(ran[0]).toBe('systemctl disable --now gpio-irqd.service');
    expect(filesIn(target)).toEqual([CONFIG, `${UNIT}.d/mine.conf`]);
    ran = [];
    await install({ uninstall: true }, host());
    expect(ran).toEqual(['udevadm control --reload', 'systemctl daemon-reload']);
  });

  test('--dry-run says all of it and does none of it, by any user', async () => {
    await install({ dryRun: true }, host({ uid: 1000 }));
    expect(filesIn(target)).toEqual([]);
    expect(ran).toEqual([]);
    expect(printed).toContain('would run systemctl daemon-reload');
    expect(printed).toContain(`would write ${join(target, UNIT)}`);
  });
});

describe('it refuses, with a code and a hint,', () => {
  const refusal = (options: Parameters<typeof install>[0], on: InstallHost) =>
    install(options, on).then(
      () => 'not refused',
      (error: unknown) => error,
    );

  test('a user who is not root', async () => {
    expect(await refusal({}, host({ uid: 1000 }))).toMatchObject({
      code: 'EACCES',
      hint: expect.stringContaining('sudo'),
    });
    expect(filesIn(target)).toEqual([]);
  });

  test('a system without systemd', async () => {
    expect(await refusal({}, host({ booted: false }))).toMatchObject({ code: 'ENOTSUP' });
  });

  test('a package that is not built', async () => {
    rmSync(join(packageRoot, 'dist'), { recursive: true });
    const hint = expect.stringContaining('npm run build');
    expect(await refusal({}, host())).toMatchObject({ code: 'ENOENT', hint });
  });

  test('a package that lacks a file', async () => {
    rmSync(join(packageRoot, 'examples'), { recursive: true });
    const message = expect.stringContaining('button-led.yaml is missing');
    expect(await refusal({ root: target }, host())).toMatchObject({ code: 'ENOENT', message });
  });

  test('a daemon that its user could not reach', async () => {
    chmodSync(packageRoot, 0o700);
    const message = expect.stringContaining(`${packageRoot} is closed to others`);
    expect(await refusal({}, host())).toMatchObject({ code: 'EACCES', message });
  });

  test('a daemon in a directory that the service has one of its own of', async () => {
    const message = expect.stringContaining(`it has a ${directory} of its own`);
    expect(await refusal({}, host({ privateDirectories: [directory] }))).toMatchObject({ code: 'EACCES', message });
    expect(await refusal({}, host({ privateDirectories: [packageRoot.slice(0, -1)], uid: 1 }))).toMatchObject({
      message: expect.stringContaining('only root'),
    });
  });

  test('to call a failed command a success', async () => {
    const run = () => Promise.reject(new Error('exit 1'));
    const message = expect.stringContaining('systemd-sysusers');
    expect(await refusal({}, host({ run }))).toMatchObject({ code: 'EIO', message });
  });
});

describe('the command line', () => {
  test.each([
    [['--root', 'T'], 0],
    [['--help'], 0],
    [['--bogus'], 2],
    [['extra'], 2],
    [['--node', 'node'], 2],
    [[], 1],
  ])('%j exits %i', async (argv, status) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const words = argv.map((word) => (word === 'T' ? target : word));
    expect(await main(words, () => host({ uid: 1000 }))).toBe(status);
  });
});

describe('the plan', () => {
  test.each([
    ['/usr/bin/node', '/usr/bin/node'],
    ['/opt/my node', '"/opt/my node"'],
    ['/opt/50%', '/opt/50%%'],
    ['/opt/$HOME', '/opt/$$HOME'],
    ['/opt/a"b\\c', '"/opt/a\\"b\\\\c"'],
  ])('%s is the word %s of ExecStart=', (path, word) => {
    expect(execWord(path)).toBe(word);
    expect(renderUnit('ExecStart=/n /e run\n', path, '/e')).toBe(`ExecStart=${word} /e run\n`);
  });

  test.each([
    ['/home/pi/x', true],
    ['/root/.nvm/node', true],
    ['/opt/home/x', false],
    ['/homes/x', false],
  ])('ProtectHome=yes hides %s: %s', (path, hidden) => expect(isInHome(path)).toBe(hidden));

  test('the package is found from its build as from its source', () => {
    for (const script of ['dist/systemd/install.js', 'systemd/install.ts']) {
      expect(findPackageRoot(pathToFileURL(join(packageRoot, script)).href)).toBe(packageRoot);
    }
    expect(() => findPackageRoot('file:///nowhere/install.js')).toThrow('no gpio-irqd package');
  });

  test('a home directory gets ProtectHome=read-only', async () => {
    await install({ root: target, node: '/home/pi/.nvm/node' }, host());
    expect(read(`${UNIT}.d/50-protect-home.conf`)).toContain('ProtectHome=read-only');
  });
});

test('names the schema for editors where the package is', () => {
  const shipped = '# yaml-language-server: $schema=../schemas/gpio-irqd.schema.json\nlines: {}\n';
  expect(renderConfig(shipped, '/usr/lib/x')).toBe(shipped.replace('../', '/usr/lib/x/'));
});
