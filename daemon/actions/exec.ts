// Running a program for a work item: no shell, a clean environment, ended with all that it started when its time is over.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { KernelError } from '../../kernel/index.js';
import { checkTrustedProgram } from '../security/trusted-file.js';
import { OutputLines } from './output-lines.js';

/** Characters of what it wrote to stderr that go into the error. */
const SAID_MAX = 500;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** From SIGTERM to SIGKILL: when its time is over, and when the daemon stops, which has less time. */
const GRACE_MS = 2_000;
const STOP_GRACE_MS = 1_000;

/** How to run a program. */
export interface ExecOptions {
  /** After which it is ended. */
  readonly timeoutNs: number;
  /** Variables that the program gets besides PATH; it gets no others. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
  /** Gets each line that the program writes to stdout or stderr, without its end, as it comes; at last, how much was left out. */
  readonly onLine?: (text: string) => void;
}

/** How a program that ended well went. */
export interface ExecResult {
  /** Bytes that it wrote and that {@link ExecOptions.onLine} did not get: above 64 KiB a stream, or 200 lines a second. */
  readonly leftOutBytes: number;
}

/**
 * Runs `argv[0]` with the other words as its arguments, each one word whatever it contains. Its input is empty. It has a
 * process group of its own, which is ended as a whole: by SIGTERM, and by SIGKILL when that has not helped in 2 s. It is over when it and
 * all that still hold its output are.
 *
 * @throws KernelError ETIMEDOUT (out of time), EINTR (ended by `signal`), ENOENT or EACCES (cannot be started, or
 * others could have changed it), EINVAL (words or variables that no program can get), EIO (it failed; the message has its status)
 */
export function exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = start(program, args, options.env);
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error)));
    // Whatever its type says: with no descriptor left (EMFILE) there are no pipes, and the error follows.
    if ((child.stdout as Readable | undefined) === undefined) return;
    const onLine = options.onLine ?? (() => {});
    const stdout = new OutputLines(child.stdout, 0, onLine);
    const stderr = new OutputLines(child.stderr, SAID_MAX, onLine);
    const group = new Group(child);
    const timer = setTimeout(() => group.end(outOfTime(program), GRACE_MS), toMs(options.timeoutNs));
    const abort = (): void => group.end(stopped(program), STOP_GRACE_MS);
    options.signal?.addEventListener('abort', abort, { once: true });
    const forget = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    };
    child.once('error', forget);
    child.once('close', (status, killedBy) => {
      forget();
      stdout.finish();
      stderr.finish();
      const leftOutBytes = stdout.leftOutBytes + stderr.leftOutBytes;
      if (leftOutBytes > 0) onLine(`${program}: ${leftOutBytes} bytes more of what it wrote are left out`);
      if (group.why !== undefined) group.over.then(() => reject(group.why));
      else if (status === 0) resolve({ leftOutBytes });
      else reject(failed(program, status, killedBy, stderr.head));
    });
    if (options.signal?.aborted === true) abort();
  });
}

/** Errors as {@link exec}'s; those that come later are events of the process. */
function start(
  program: string,
  args: readonly string[],
  env: ExecOptions['env'],
): ChildProcessByStdio<null, Readable, Readable> {
  const file = checkTrustedProgram(program, env.PATH ?? PATH);
  try {
    return spawn(file, args, { env: { PATH, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw notStarted(program, error as NodeJS.ErrnoException);
  }
}

function toMs(ns: number): number {
  return Math.max(1, Math.ceil(ns / 1e6));
}

/** A program with all that it has started and that has stayed in its process group. */
class Group {
  /** Why it is ended before its time; undefined while it may run. */
  why: KernelError | undefined;
  /** Resolves when nothing of it is left, or it has got SIGKILL. */
  readonly over: Promise<void>;
  readonly #child: ChildProcess;
  #isOver: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    this.over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
  }

  end(why: KernelError, graceMs: number): void {
    if (this.why !== undefined) return;
    this.why = why;
    this.#signal('SIGTERM');
    const kill = setTimeout(() => this.#kill(), graceMs);
    this.#child.once('close', () => {
      // Its first process is gone; those that it has started have the rest of the time.
      if (this.#signal(0)) return;
      clearTimeout(kill);
      this.#isOver();
    });
  }

  /** What has left the group may still hold the pipes, which are not waited for. */
  #kill(): void {
    this.#signal('SIGKILL');
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#isOver();
  }

  /** @returns whether there was still anybody to get it. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      return process.kill(-this.#child.pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // EPERM: all that is left runs as another user, by setuid, and cannot be ended.
      if (code === 'ESRCH' || code === 'EPERM') return false;
      throw error;
    }
  }
}

function outOfTime(program: string): KernelError {
  return new KernelError('ETIMEDOUT', `${program}: ran out of time and was ended`, { hint: 'raise its timeout' });
}

function stopped(program: string): KernelError {
  return new KernelError('EINTR', `${program}: was ended, since the daemon stops`);
}

function notStarted(program: string, error: NodeJS.ErrnoException): KernelError {
  if (error.code === 'ENOENT') {
    return new KernelError('ENOENT', `${program}: no such program`, { hint: 'give its full path', cause: error });
  }
  if (error.code === 'EACCES') {
    const hint = 'check its mode and owner';
    return new KernelError('EACCES', `${program}: may not be run by the daemon's user`, { hint, cause: error });
  }
  if (error.code === 'E2BIG') return new KernelError('EINVAL', `${program}: its words and variables are too long`);
  if (error.code === 'ERR_INVALID_ARG_VALUE') {
    return new KernelError('EINVAL', `${program}: a null byte is in its words or variables, which no program can get`);
  }
  return new KernelError('EIO', `${program}: cannot be started (${error.code})`, { cause: error });
}

function failed(program: string, status: number | null, killedBy: NodeJS.Signals | null, stderr: string): KernelError {
  const how = killedBy === null ? `ended with status ${status}` : `was ended by ${killedBy}`;
  const said = stderr.trim();
  return new KernelError('EIO', `${program}: ${how}${said === '' ? '' : `: ${said}`}`);
}
