// sd_notify: telling the service manager that the daemon is ready, reloading, stopping, alive; and giving it descriptors to keep.

import { createRequire } from 'node:module';
import { loadSdNotify, type SdNotify } from './sd-notify.js';

/** Where notifications and the watchdog report what went wrong; a pino logger is one. */
export interface ServiceLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * The way a notification takes.
 *
 * - `addon`: as `sd_notify()` of libsystemd, from this process. Everything can be sent; `NotifyAccess=main` is enough.
 * - `systemd-notify`: the command line tool, one process a message. It is a child of the daemon, so the unit needs
 *   `NotifyAccess=all`.
 * - `none`: the daemon was not started by systemd (no `NOTIFY_SOCKET`), or no sender could be loaded.
 */
export type NotifierKind = 'addon' | 'systemd-notify' | 'none';

/**
 * Sends state to the service manager.
 *
 * Every method resolves to whether the message was handed over, and never rejects: a failure is logged once, when a run of
 * failures begins. With `addon` the message is sent before the method returns.
 */
export interface Notifier {
  readonly kind: NotifierKind;
  /** What this way of sending can and cannot do, as one sentence for logs and `status`. */
  readonly info: string;
  /** `READY=1`: start-up, or a reload, is complete. */
  ready(status?: string): Promise<boolean>;
  /** `STATUS=`: one line for `systemctl status`. Line breaks and control characters become spaces. */
  status(text: string): Promise<boolean>;
  /** `RELOADING=1` with the CLOCK_MONOTONIC time in µs; end it with {@link Notifier.ready}. */
  reloading(): Promise<boolean>;
  /** `STOPPING=1`: the daemon has begun to shut down. */
  stopping(status?: string): Promise<boolean>;
  /** `WATCHDOG=1`: the daemon is healthy now. */
  watchdog(): Promise<boolean>;
  /**
   * `FDSTORE=1`: the manager keeps duplicates of the descriptors under a name, and passes them to the next process of the
   * service (`takeInheritedFds`), until the service is stopped for good. As many as `FileDescriptorStoreMax=` says; of what is
   * beyond it the manager logs, and nobody here hears. The `systemd-notify` tool can do it since version 254.
   *
   * @param name 1 to 255 letters, digits, dots and dashes.
   */
  storeFds(name: string, fds: readonly number[]): Promise<boolean>;
  /** `FDSTOREREMOVE=1`: the manager closes what it keeps under the name; it has, when this resolves. */
  removeFds(name: string): Promise<boolean>;
}

/** The npm package `systemd-notify`: READY and STATUS only. */
export type SystemdNotifyPackage = (options: { ready?: true; status?: string }) => Promise<unknown>;

/** Where the senders come from; tests put their own here. */
export interface NotifierSources {
  /** @param address as `NOTIFY_SOCKET` has it */
  sdNotify(address: string): SdNotify;
  systemdNotify(): Promise<SystemdNotifyPackage>;
  /** Runs the command line tool with options and assignments such as `WATCHDOG=1`; `fds` are its descriptors from 3 on. */
  runTool(args: readonly string[], fds: readonly number[]): Promise<void>;
}

/** What {@link createNotifier} needs. */
export interface NotifierOptions {
  /** Whether there is anybody to notify, and where. The package and the tool read the process's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: ServiceLog;
  readonly sources?: NotifierSources;
}

const TOOL_TIMEOUT_MS = 5_000;
/** Most that is repeated of what the tool said. */
const TOOL_WORDS = 200;
/** The first descriptor of the tool's that is not its standard input, output or error. */
const FIRST_TOOL_FD = 3;
/** How long the manager may take to close a descriptor. */
const BARRIER_MS = 5_000;

const require = createRequire(import.meta.url);

async function loadSystemdNotify(): Promise<SystemdNotifyPackage> {
  return require('systemd-notify') as SystemdNotifyPackage;
}

function runTool(args: readonly string[], fds: readonly number[]): Promise<void> {
  // Not at the start, which has no need of it.
  const { spawn } = require('node:child_process') as typeof import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', args, {
      stdio: ['ignore', 'ignore', 'pipe', ...fds],
      timeout: TOOL_TIMEOUT_MS,
    });
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, TOOL_WORDS);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(oneLine(words) || `systemd-notify ended with ${code ?? 'a signal'}`));
    });
  });
}

const realSources: NotifierSources = { sdNotify: loadSdNotify, systemdNotify: loadSystemdNotify, runTool };

type Assignment = readonly [key: string, value: string];
type Send = (assignments: readonly Assignment[], fds: readonly number[]) => Promise<void>;

/** A newline would begin another assignment, and a NUL would end the message. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

function monotonicMicroseconds(): string {
  // On Linux process.hrtime is CLOCK_MONOTONIC, the clock that systemd compares this with.
  return String(process.hrtime.bigint() / 1000n);
}

function addonSender({ notify, barrier }: SdNotify): Send {
  return async (assignments, fds) => {
    checkSent(notify(assignments.map(([key, value]) => `${key}=${value}`).join('\n'), fds));
    if (assignments.some(([key]) => key === 'FDSTOREREMOVE')) checkSent(await barrier(BARRIER_MS));
  };
}

function checkSent(result: number): void {
  if (result < 0) throw Object.assign(new Error(`sd_notify failed with errno ${-result}`), { errno: result });
}

/** READY and STATUS go through the package, the rest through the tool itself; one after the other, to keep their order. */
function toolSender(notify: SystemdNotifyPackage, run: NotifierSources['runTool']): Send {
  const sendNow: Send = async (assignments, fds) => {
    const known = new Map(assignments);
    const status = known.get('STATUS');
    const readyOrStatus = assignments.every(([key]) => key === 'READY' || key === 'STATUS');
    if (!readyOrStatus) return run(toolArguments(assignments, fds), fds);
    await notify({ ...(known.has('READY') && { ready: true }), ...(status !== undefined && { status }) });
  };
  let previous: Promise<void> = Promise.resolve();
  return (assignments, fds) => {
    const current = previous.then(() => sendNow(assignments, fds));
    previous = current.catch(() => undefined);
    return current;
  };
}

/** The tool has options for descriptors and their name; they come before the assignments. */
function toolArguments(assignments: readonly Assignment[], fds: readonly number[]): string[] {
  const text = ([key, value]: Assignment): string => `${key}=${value}`;
  if (fds.length === 0) return assignments.map(text);
  const options = assignments.map(([key, value]) => (key === 'FDNAME' ? `--fdname=${value}` : undefined));
  return [
    ...fds.map((_, i) => `--fd=${FIRST_TOOL_FD + i}`),
    ...options.filter((option) => option !== undefined),
    ...assignments.filter(([key]) => key !== 'FDNAME').map(text),
  ];
}

function notifier(kind: NotifierKind, info: string, log: ServiceLog, send: Send | undefined): Notifier {
  let failing = false;
  const post = (...assignments: Assignment[]): Promise<boolean> => postWith([], ...assignments);
  const postWith = async (fds: readonly number[], ...assignments: Assignment[]): Promise<boolean> => {
    if (send === undefined) return false;
    try {
      await send(assignments, fds);
      failing = false;
      return true;
    } catch (error) {
      if (!failing)
        log.warn({ err: error, kind }, `systemd was not notified of ${assignments[0]?.[0]}: ${reasonOf(error)}`);
      failing = true;
      return false;
    }
  };
  const withStatus = (status: string | undefined): Assignment[] =>
    status === undefined ? [] : [['STATUS', oneLine(status)]];
  return {
    kind,
    info,
    ready: (status) => post(['READY', '1'], ...withStatus(status)),
    status: (text) => post(['STATUS', oneLine(text)]),
    reloading: () => post(['RELOADING', '1'], ['MONOTONIC_USEC', monotonicMicroseconds()]),
    stopping: (status) => post(['STOPPING', '1'], ...withStatus(status)),
    watchdog: () => post(['WATCHDOG', '1']),
    storeFds: (name, fds) => postWith(fds, ['FDSTORE', '1'], ['FDNAME', fdName(name)]),
    removeFds: (name) => post(['FDSTOREREMOVE', '1'], ['FDNAME', fdName(name)]),
  };
}

/** FDNAME= is refused with a colon or a control character in it, and a newline would begin another assignment. */
function fdName(name: string): string {
  if (/^[A-Za-z0-9.-]{1,255}$/.test(name)) return name;
  throw new RangeError(`'${name}' is no name for a descriptor: use 1 to 255 letters, digits, dots and dashes`);
}

/** The `systemd-notify` package rejects with a string, everything else with an Error; who wanted a missing package is in further lines. */
function reasonOf(error: unknown): string {
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return reason;
}

/**
 * Finds the best way to notify the service manager. Never rejects.
 *
 * Outside systemd nothing is loaded and nothing is sent. Under systemd without the addon the command line tool is
 * used, with a warning; without that too, the notifier is `none` and an error is logged, since a `Type=notify` unit will then
 * fail with a start time-out.
 */
export async function createNotifier(options: NotifierOptions): Promise<Notifier> {
  const { env, log, sources = realSources } = options;
  if (!env.NOTIFY_SOCKET) return notifier('none', 'not started by systemd: NOTIFY_SOCKET is not set', log, undefined);
  let reason: string;
  try {
    return notifier('addon', 'sd_notify by the addon', log, addonSender(sources.sdNotify(env.NOTIFY_SOCKET)));
  } catch (error) {
    reason = reasonOf(error);
  }
  try {
    const send = toolSender(await sources.systemdNotify(), sources.runTool);
    const info =
      'the systemd-notify tool: READY and STATUS by the npm package, which cannot send WATCHDOG, RELOADING or STOPPING; ' +
      'those by the tool itself. The unit needs NotifyAccess=all';
    log.warn({ reason }, `the addon cannot be used (${reason}); notifying with ${info}`);
    return notifier('systemd-notify', info, log, send);
  } catch (error) {
    const info = `systemd cannot be notified: addon: ${reason}; systemd-notify: ${reasonOf(error)}`;
    log.error(
      { reason },
      `${info}. Install gpio-irqd or the package systemd-notify again, or set Type=exec in the unit`,
    );
    return notifier('none', info, log, undefined);
  }
}
