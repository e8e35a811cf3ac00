// Running a program for a work item: no shell, a clean environment, ended with all that it started when its time is over.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { KernelError } from '../../kernel/index.js';
import { checkTrustedProgram } from '../security/trusted-file.js';

/** Bytes of each output stream that are kept for the log; a program that writes more is ended. */
const OUTPUT_MAX = 64 * 1024;
/** Characters of what it wrote to stderr that go into the error. */
const SAID_MAX = 500;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How to run a program. */
export interface ExecOptions {
  /** After which it is killed. */
  readonly timeoutNs: number;
  /** Variables that the program gets besides PATH; it gets no others. */
  readonly env: Readonly<Record<string, string>>;
  /** Kills it before its time. */
  readonly signal?: AbortSignal;
}

/** What a program that ended well has written. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `argv[0]` with the other words as its arguments, each one word whatever it contains. Its input is empty. It has a
 * process group of its own, which is killed (SIGKILL) as a whole.
 *
 * @throws KernelError ETIMEDOUT (out of time), EINTR (ended by `signal`), ENOENT or EACCES (cannot be started, or
 * others could have changed it), EIO (it failed, or wrote more than 64 KiB)
 */
export function exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const [program = '', ...args] = argv;
  const { timeoutNs, env, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(checkTrustedProgram(program, env.PATH ?? PATH), args, {
      env: { PATH, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error)));
    // Whatever its type says: with no descriptor left (EMFILE) there are no pipes, and the error follows.
    if ((child.stdout as Readable | undefined) === undefined) return;
    let ended: KernelError | undefined;
    const end = (why: KernelError): void => {
      ended ??= why;
      kill(child);
    };
    const tooMuch = (): void =>
      end(new KernelError('EIO', `${program}: wrote more than ${OUTPUT_MAX} bytes, was ended`));
    const stdout = collect(child.stdout, tooMuch);
    const stderr = collect(child.stderr, tooMuch);
    const timer = setTimeout(() => end(outOfTime(program)), Math.max(1, Math.ceil(timeoutNs / 1e6)));
    const abort = (): void => end(new KernelError('EINTR', `${program}: was ended, since the daemon stops`));
    signal?.addEventListener('abort', abort, { once: true });
    const forget = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    child.once('error', forget);
    child.once('close', (status, killedBy) => {
      forget();
      if (ended !== undefined) reject(ended);
      else if (status === 0) resolve({ stdout: stdout(), stderr: stderr() });
      else reject(failed(program, status, killedBy, stderr()));
    });
    if (signal?.aborted === true) abort();
  });
}

/** Keeps what a stream brings. @returns gives it as text. */
function collect(stream: Readable, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > OUTPUT_MAX) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** Ends the whole group. What has left it may still hold the pipes, which are not waited for. */
function kill(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function outOfTime(program: string): KernelError {
  return new KernelError('ETIMEDOUT', `${program}: ran out of time and was killed`, { hint: 'raise its timeout' });
}

function notStarted(program: string, error: NodeJS.ErrnoException): KernelError {
  if (error.code === 'ENOENT') {
    return new KernelError('ENOENT', `${program}: no such program`, { hint: 'give its full path', cause: error });
  }
  if (error.code === 'EACCES') {
    const hint = 'check its mode and owner';
    return new KernelError('EACCES', `${program}: may not be run by the daemon's user`, { hint, cause: error });
  }
  return new KernelError('EIO', `${program}: cannot be started (${error.code})`, { cause: error });
}

function failed(program: string, status: number | null, killedBy: NodeJS.Signals | null, stderr: string): KernelError {
  const how = killedBy === null ? `ended with status ${status}` : `was ended by ${killedBy}`;
  const said = stderr.trim().slice(0, SAID_MAX);
  return new KernelError('EIO', `${program}: ${how}${said === '' ? '' : `: ${said}`}`);
}
