// What an installation consists of: which file goes where, with which content, and what is run afterwards.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRootOf } from './package-root.js';

/** A refusal, with what the user can do about it. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  /** `EACCES` not allowed, `ENOENT` something is missing, `ENOTSUP` no systemd here. */
  readonly code: 'EACCES' | 'ENOENT' | 'ENOTSUP' | 'EIO';
  readonly hint: string;

  constructor(code: InstallError['code'], message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** One file of the installation. */
export interface PlannedFile {
  /** Absolute, before any `--root`. */
  readonly path: string;
  readonly content: string;
  /** The user's own file: written once, never changed, never removed. */
  readonly keep: boolean;
}

/** What the files are made from. */
export interface PlanInput {
  /** The directory of the package's package.json. */
  readonly packageRoot: string;
  /** The Node that the service runs with. Absolute. */
  readonly node: string;
  /** The daemon's main script. Absolute. */
  readonly entry: string;
  /** Whether the daemon can notify systemd itself; if not, the unit gets a drop-in with `NotifyAccess=all`. */
  readonly notifies: boolean;
  /** Whether the service gets the network drop-in. */
  readonly network: boolean;
}

export const SERVICE = 'gpio-irqd.service';
export const UNIT_PATH = `/etc/systemd/system/${SERVICE}`;
export const DROP_IN_DIRECTORY = `${UNIT_PATH}.d`;
export const CONFIG_PATH = '/etc/gpio-irqd/config.yaml';
const NOTIFY_DROP_IN = `${DROP_IN_DIRECTORY}/50-notify-access.conf`;
const HOME_DROP_IN = `${DROP_IN_DIRECTORY}/50-protect-home.conf`;
/** Its presence is how the next installation knows that the network is wanted. */
export const NETWORK_DROP_IN = `${DROP_IN_DIRECTORY}/50-network.conf`;
const SYSUSERS_PATH = '/etc/sysusers.d/gpio-irqd.conf';
const RULES_PATH = '/etc/udev/rules.d/99-gpio-irqd.rules';

/** Every path that an installation may own; what a plan does not contain is removed when the plan is carried out. */
export const OWNED_PATHS: readonly string[] = [
  UNIT_PATH,
  NOTIFY_DROP_IN,
  HOME_DROP_IN,
  NETWORK_DROP_IN,
  SYSUSERS_PATH,
  RULES_PATH,
];

/** The package that this script belongs to. */
export function findPackageRoot(moduleUrl: string): string {
  const root = packageRootOf(moduleUrl);
  if (root !== undefined) return root;
  throw new InstallError('ENOENT', `no gpio-irqd package around ${moduleUrl}`, 'Install the package again.');
}

/** The file's text, or `undefined` when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}

/** A path as a word of `ExecStart=`: quoted where needed, `%` and `$` doubled (systemd.service(5), "Command lines"). */
export function execWord(path: string): string {
  const plain = path.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%$+,./:=-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The shipped unit with the two paths of this machine in `ExecStart=`. */
export function renderUnit(shipped: string, node: string, entry: string): string {
  const command = /^ExecStart=\S+ \S+(?= )/m;
  if (!command.test(shipped)) {
    throw new InstallError('EIO', `${SERVICE} has no ExecStart= to fill in`, 'Install the package again.');
  }
  return shipped.replace(command, () => `ExecStart=${execWord(node)} ${execWord(entry)}`);
}

/** The shipped configuration, with its schema for editors where it is on this machine. */
export function renderConfig(shipped: string, packageRoot: string): string {
  return shipped.replace('$schema=../', () => `$schema=${packageRoot}/`);
}

/** Whether `ProtectHome=yes` would hide this path from the service (systemd.exec(5)). */
export function isInHome(path: string): boolean {
  return /^\/(home|root|run\/user)\//.test(path);
}

/** The files of an installation, in the order in which they are written. */
export function planFiles(input: PlanInput): PlannedFile[] {
  const { packageRoot, node, entry } = input;
  const shipped = (name: string): string => {
    const content = readIfThere(join(packageRoot, name));
    if (content !== undefined) return content;
    throw new InstallError('ENOENT', `${join(packageRoot, name)} is missing`, 'Install the package again.');
  };
  const files: PlannedFile[] = [
    { path: SYSUSERS_PATH, content: shipped('systemd/gpio-irqd.sysusers.conf'), keep: false },
    { path: RULES_PATH, content: shipped('systemd/99-gpio-irqd.rules'), keep: false },
    { path: CONFIG_PATH, content: renderConfig(shipped('examples/button-led.yaml'), packageRoot), keep: true },
    { path: UNIT_PATH, content: renderUnit(shipped(`systemd/${SERVICE}`), node, entry), keep: false },
  ];
  const dropIn = (path: string, why: string, setting: string): void => {
    files.push({ path, content: `# ${why}\n[Service]\n${setting}\n`, keep: false });
  };
  if (!input.notifies) {
    dropIn(NOTIFY_DROP_IN, 'The addon cannot be loaded here: a child of the daemon notifies.', 'NotifyAccess=all');
  }
  if (isInHome(node) || isInHome(entry)) {
    dropIn(HOME_DROP_IN, 'The daemon or its Node lives in a home directory.', 'ProtectHome=read-only');
  }
  if (input.network) {
    files.push({ path: NETWORK_DROP_IN, content: shipped('systemd/drop-ins/network.conf'), keep: false });
  }
  return files;
}

/** Refuses what lies in a directory of which the service has one of its own, by `PrivateTmp=yes`. */
export function checkVisible(path: string, privateDirectories: readonly string[]): void {
  const hidden = privateDirectories.find((directory) => path.startsWith(`${directory}/`));
  if (hidden === undefined) return;
  const hint = 'Install it where it stays, e.g. with `npm install --global gpio-irqd`.';
  throw new InstallError('EACCES', `the service cannot see ${path}: it has a ${hidden} of its own`, hint);
}

/**
 * Refuses what the service's user could not execute: a script or Node behind a directory that is closed to others, as a home
 * directory is on current Debian.
 */
export function checkReachable(path: string): void {
  for (let at = path; ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat === undefined) {
      throw new InstallError('ENOENT', `${at} does not exist`, 'In a clone, run `npm run build` first.');
    }
    const needed = at === path && !stat.isDirectory() ? 0o004 : 0o001;
    if ((stat.mode & needed) === 0) {
      const hint =
        'Install it for all users, e.g. with `npm install --global gpio-irqd` and a Node outside of /home and /root.';
      throw new InstallError('EACCES', `the user gpio-irqd cannot reach ${path}: ${at} is closed to others`, hint);
    }
    if (at === dirname(at)) return;
  }
}
