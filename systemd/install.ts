#!/usr/bin/env node
// The install script: puts unit, user, udev rule and example configuration in place, or takes them away again.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command, CommanderError } from 'commander';
import {
  CONFIG_PATH,
  checkReachable,
  checkVisible,
  DROP_IN_DIRECTORY,
  findPackageRoot,
  InstallError,
  NETWORK_DROP_IN,
  OWNED_PATHS,
  type PlanInput,
  type PlannedFile,
  planFiles,
  readIfThere,
  SERVICE,
  UNIT_PATH,
} from './install-plan.js';
import { loadSdNotify } from './sd-notify.js';

/** What the command line asks for. */
export interface InstallOptions {
  /** Directory to install into instead of `/`; nothing is run then. */
  readonly root?: string;
  readonly dryRun?: boolean;
  readonly uninstall?: boolean;
  /** Whether the service may use the network: MQTT, http actions, the API on loopback. Default: as it is installed, else not. */
  readonly network?: boolean;
  /** Node for `ExecStart=`; default the one that runs this script. */
  readonly node?: string;
  /** Daemon for `ExecStart=`; default that of this package. */
  readonly entry?: string;
}

/** The machine as the script sees it; tests put their own here. */
export interface InstallHost {
  readonly packageRoot: string;
  /** Where `/` is. */
  readonly filesystem: string;
  readonly uid: number;
  /** As sd_booted(3). */
  readonly booted: boolean;
  readonly execPath: string;
  /** Directories that the service sees empty ones in place of. */
  readonly privateDirectories: readonly string[];
  /** Whether the addon can be loaded, by which the daemon notifies. */
  readonly hasAddon: boolean;
  /** Runs a program without a shell; rejects when it cannot be run or fails. */
  run(command: string, args: readonly string[]): Promise<void>;
  print(line: string): void;
}

type Action = readonly [command: string, ...args: string[]];

const AFTER_INSTALL: readonly Action[] = [
  ['systemd-sysusers', '/etc/sysusers.d/gpio-irqd.conf'],
  ['udevadm', 'control', '--reload'],
  ['udevadm', 'trigger', '--subsystem-match=gpio'],
  ['systemctl', 'daemon-reload'],
];
const AFTER_UNINSTALL: readonly Action[] = [
  ['udevadm', 'control', '--reload'],
  ['systemctl', 'daemon-reload'],
];

/** Installs or uninstalls. Doing it twice changes nothing the second time. Throws {@link InstallError} when it refuses. */
export async function install(options: InstallOptions, host: InstallHost): Promise<void> {
  const { root, dryRun = false } = options;
  const live = root === undefined;
  const remove = options.uninstall === true;
  const files = remove ? [] : planFiles(planInput(options, host));
  if (live && !dryRun) refuseWithoutPower(host);

  const step = new Steps(host, root ?? host.filesystem, dryRun);
  if (remove && live && existsSync(join(host.filesystem, UNIT_PATH)))
    await step.run(['systemctl', 'disable', '--now', SERVICE]);
  for (const file of files) step.write(file);
  const planned = new Set(files.map((file) => file.path));
  for (const path of OWNED_PATHS) if (!planned.has(path)) step.remove(path);
  step.removeDirectoryIfEmpty(DROP_IN_DIRECTORY);
  if (live && !remove && !dryRun) await keepCode(options, host);
  if (live) for (const action of remove ? AFTER_UNINSTALL : AFTER_INSTALL) await step.run(action);
  for (const line of remove ? afterUninstall() : nextSteps(root)) host.print(line);
}

/** Has what V8 compiles kept, so that starts take less time. Where that cannot be, they take longer. */
async function keepCode(options: InstallOptions, host: InstallHost): Promise<void> {
  const warm = join(host.packageRoot, 'dist/daemon/warm.js');
  if (existsSync(warm)) await host.run(options.node ?? host.execPath, [warm]).catch(() => undefined);
}

function planInput(options: InstallOptions, host: InstallHost): PlanInput {
  const node = options.node ?? host.execPath;
  const entry = options.entry ?? join(host.packageRoot, 'dist/daemon/main.js');
  const network = options.network ?? existsSync(join(options.root ?? host.filesystem, NETWORK_DROP_IN));
  // With --root the files are for another machine: what is on this one says nothing.
  if (options.root !== undefined) return { packageRoot: host.packageRoot, node, entry, notifies: true, network };
  for (const path of [node, entry]) {
    checkVisible(path, host.privateDirectories);
    checkReachable(path);
  }
  return { packageRoot: host.packageRoot, node, entry, notifies: host.hasAddon, network };
}

function refuseWithoutPower(host: InstallHost): void {
  if (!host.booted) {
    const hint = 'Start the daemon by hand with `gpio-irqd run`, or stage the files with --root DIR.';
    throw new InstallError('ENOTSUP', 'this system was not booted with systemd', hint);
  }
  if (host.uid !== 0) {
    throw new InstallError(
      'EACCES',
      'only root may install a system service',
      'Run it with sudo, or look with --dry-run.',
    );
  }
}

/** Carries out single steps, says each, and only says them in a dry run. */
class Steps {
  readonly #host: InstallHost;
  readonly #root: string;
  readonly #dryRun: boolean;

  constructor(host: InstallHost, root: string, dryRun: boolean) {
    this.#host = host;
    this.#root = root;
    this.#dryRun = dryRun;
  }

  #say(done: string, would: string, what: string): void {
    this.#host.print(`${this.#dryRun ? `would ${would}` : done} ${what}`);
  }

  write(file: PlannedFile): void {
    const target = join(this.#root, file.path);
    const present = readIfThere(target);
    if (present === file.content || (present !== undefined && file.keep)) {
      this.#host.print(`${present === file.content ? 'unchanged' : 'kept'} ${target}`);
      return;
    }
    if (!this.#dryRun) {
      mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
      writeFileSync(target, file.content, { mode: 0o644 });
    }
    this.#say('wrote', 'write', target);
  }

  remove(path: string): void {
    const target = join(this.#root, path);
    if (readIfThere(target) === undefined) return;
    if (!this.#dryRun) rmSync(target);
    this.#say('removed', 'remove', target);
  }

  removeDirectoryIfEmpty(path: string): void {
    if (this.#dryRun) return;
    try {
      rmdirSync(join(this.#root, path));
    } catch (error) {
      // ENOTEMPTY: the user's own drop-ins stay.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
    }
  }

  async run(action: Action): Promise<void> {
    const [command, ...args] = action;
    const words = action.join(' ');
    if (!this.#dryRun) {
      await this.#host.run(command, args).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new InstallError('EIO', `${words} failed: ${why}`, 'The files are in place; run it by hand.', { cause });
      });
    }
    this.#say('ran', 'run', words);
  }
}

function nextSteps(root: string | undefined): string[] {
  if (root !== undefined)
    return [`Staged in ${root}. On the target: systemd-sysusers, udevadm control --reload, systemctl daemon-reload.`];
  return [
    '',
    'Next:',
    `  sudo nano ${CONFIG_PATH}              # which lines, and what they do`,
    '  sudo systemctl enable --now gpio-irqd',
    '  systemctl status gpio-irqd',
    '  sudo usermod -aG gpio-irqd "$USER"    # then log in again: gpio-irqctl without sudo',
  ];
}

function afterUninstall(): string[] {
  return [`${CONFIG_PATH} and the user gpio-irqd are left as they are.`];
}

const execFileAsync = promisify(execFile);

function canNotify(): boolean {
  try {
    loadSdNotify('');
    return true;
  } catch {
    return false;
  }
}

function realHost(): InstallHost {
  return {
    packageRoot: findPackageRoot(import.meta.url),
    filesystem: '/',
    uid: process.getuid?.() ?? -1,
    booted: existsSync('/run/systemd/system'),
    execPath: process.execPath,
    privateDirectories: ['/tmp', '/var/tmp'],
    hasAddon: canNotify(),
    run: async (command, args) => void (await execFileAsync(command, [...args])),
    print: (line) => void process.stdout.write(`${line}\n`),
  };
}

/** Exit status: 0 done, 1 refused or failed, 2 wrong use. */
export async function main(argv: readonly string[], host: () => InstallHost = realHost): Promise<number> {
  const absolute = (value: string): string => {
    if (!isAbsolute(value)) throw new CommanderError(2, 'gpio-irqd.path', `error: ${value} is not an absolute path`);
    return value;
  };
  const command = new Command('install-systemd')
    .description('Installs gpio-irqd as a systemd service: unit, user, udev rule, example configuration.')
    .option('--root <dir>', 'install below DIR (DESTDIR) and run nothing', (value: string) => resolve(value))
    .option('--dry-run', 'only say what would be done')
    .option('--uninstall', 'remove it again; the configuration and the user stay')
    .option('--network', 'let the service use the network: for MQTT, http actions, the API on loopback')
    .option('--no-network', 'take that back (default: as it is installed)')
    .option('--node <path>', 'Node for ExecStart= (default: the one that runs this)', absolute)
    .option('--entry <path>', 'daemon for ExecStart= (default: the one of this package)', absolute)
    .allowExcessArguments(false)
    .exitOverride();
  // Whatever sudo brought along: the service's user reads the configuration, and everyone the unit.
  const umask = process.umask(0o022);
  try {
    command.parse([...argv], { from: 'user' });
    await install(command.opts<InstallOptions>(), host());
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === 'gpio-irqd.path') process.stderr.write(`${error.message}\n`);
      return error.exitCode === 0 ? 0 : 2;
    }
    if (!(error instanceof InstallError)) throw error;
    process.stderr.write(`install-systemd: ${error.message} (${error.code})\n${error.hint}\n`);
    return 1;
  } finally {
    process.umask(umask);
  }
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  // Not `await`: what is built of this is CommonJS.
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
