// What both commands share: output, exit codes, and how commander's ways become them.

import { closeSync, openSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { KernelError } from '../kernel/errno.js';
import { type InheritedFd, takeInheritedFds } from '../systemd/listen-fds.js';
import { ControlClientError } from './control/client-error.js';
import { writeError } from './file-faults.js';
import { packageVersion } from './version.js';

/** Exit codes: done; refused or failed; wrong use or wrong configuration. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Where a command writes and what it knows of its surroundings; tests put their own here. */
export interface Surroundings {
  out(text: string): void;
  err(text: string): void;
  /** What a full disk has no room for is left out from now on, and counted, in place of ending the command. */
  beginPatience?(): void;
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Descriptors that a service manager passed on; whoever calls this owns them. Absent where there is none. */
  readonly takeInheritedFds?: () => readonly InheritedFd[];
  /** Called at SIGINT or SIGTERM, once, with the signal's name. @returns takes the listener back. */
  onSignal(listener: (signal: string) => void): () => void;
  /**
   * Called at each SIGHUP. @param gone whether it came because the terminal is gone, and not to have the configuration read anew
   * @returns takes the listener back
   */
  onHangup?(listener: (gone: boolean) => void): () => void;
  /** Of the terminal; absent where there is none. */
  readonly size?: { readonly columns: number; readonly rows: number } | undefined;
  /** Calls `listener` with each key that is pressed on the terminal. @returns takes the listener back. */
  onKey?(listener: (key: string) => void): () => void;
}

/**
 * A signal that comes again within this time, in ms, is the same one: the terminal sends Ctrl-C to the daemon and to npm, and
 * npm passes it on. Later ones are meant.
 */
const SAME_SIGNAL_MS = 1_000;

/** Calls `listener` at the first SIGINT or SIGTERM. A second one, meant as such, ends a stop that hangs. */
function listenForSignals(listener: (signal: string) => void): () => void {
  let firstAt: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      listener(signal);
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      letGo();
      process.kill(process.pid, signal);
    }
  };
  const letGo = (): void => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
  const forget = (): void => {
    // A command that was told to end may have the same signal once more on its last way, and must not die of it there.
    if (firstAt === undefined) letGo();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return forget;
}

/** A terminal that is closed sends SIGHUP as well, and cannot be opened any more then. */
function listenForHangup(listener: (gone: boolean) => void): () => void {
  const handle = (): void => listener(process.stdout.isTTY && !hasTerminal());
  process.on('SIGHUP', handle);
  return () => process.off('SIGHUP', handle);
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** Reads the terminal key by key, until the listener is taken back. */
function listenForKeys(listener: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  const handle = (keys: Buffer): void => listener(keys.toString('latin1'));
  stdin.setRawMode(true);
  stdin.on('data', handle);
  return () => {
    stdin.off('data', handle);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** What writing to a disk fails with when it has no room, or is failing itself. */
const DISK_ERRORS: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

/** Writes to standard output. What has no room there is left out, and counted as soon as there is room again. */
class PatientOutput {
  #leftOut = 0;
  #why = '';

  /** @returns whether the error is one to wait out */
  failed({ code = '' }: NodeJS.ErrnoException): boolean {
    if (!DISK_ERRORS.has(code)) return false;
    this.#leftOut++;
    this.#why = code;
    return true;
  }

  readonly write = (text: string): void => {
    process.stdout.write(text, (error) => {
      // An error comes as an event too, and is counted there.
      if (error || this.#leftOut === 0) return;
      const count = this.#leftOut;
      this.#leftOut = 0;
      process.stderr.write(`gpio-irqd: what was written ${count} times is left out here (${this.#why})\n`);
    });
  };
}

/**
 * The real ones. A reader that went away (`| head`) ends the command quietly, and a disk without room with what is wrong; a service
 * without its journal has failed.
 *
 * @param name of the command, which says what is wrong
 */
export function processSurroundings(name = 'gpio-irqd'): Surroundings {
  const output = new PatientOutput();
  let patient = false;
  for (const [stream, what] of [
    [process.stdout, 'standard output'],
    [process.stderr, 'standard error'],
  ] as const) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.env.NOTIFY_SOCKET === undefined ? EXIT.done : EXIT.failed);
      if (patient && output.failed(error)) return;
      if (stream === process.stdout) process.stderr.write(explainError(name, writeError(error, what)));
      process.exit(EXIT.failed);
    });
  }
  return {
    out: (text) => (patient ? output.write(text) : void process.stdout.write(text)),
    err: (text) => void process.stderr.write(text),
    beginPatience: () => {
      patient = true;
    },
    terminal: process.stdout.isTTY === true,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    takeInheritedFds: () => takeInheritedFds(process.env, process.pid),
    onSignal: listenForSignals,
    onHangup: listenForHangup,
    get size() {
      const { isTTY, columns, rows } = process.stdout;
      return isTTY ? { columns, rows } : undefined;
    },
    onKey: listenForKeys,
  };
}

/** Reads an option's value, or fails as commander expects; `undefined` from `parse` means that the value is wrong. */
export function argument<T>(parse: (text: string) => T | undefined, right: string): (text: string) => T {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Write ${right}.`);
    return value;
  };
}

/** A program whose wrong use is exit code 2, on our output. */
export function createProgram(name: string, description: string, io: Surroundings): Command {
  return new Command(name)
    .description(description)
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError(`(${name} --help says more)`)
    .addHelpText('after', '\nExit status: 0 done, 1 refused or failed, 2 wrong use or wrong configuration.');
}

/** What the system says by itself, which is no fault of the program: its text names code, call and file. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Says an error to a person: what is wrong, then what to do. */
export function explainError(name: string, error: unknown): string {
  if (error instanceof KernelError || error instanceof ControlClientError) {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    return `${name}: ${error.message} (${error.code})${hint}\n`;
  }
  if (isOfSystem(error)) {
    const hint = error.syscall === 'uv_cwd' ? '\n  the folder that it was called in is gone: cd to another one' : '';
    return `${name}: ${error.message}${hint}\n`;
  }
  return `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}

/** Runs a program to its exit code. Nothing is thrown. */
export async function runProgram(
  program: Command,
  args: readonly string[],
  io: Surroundings,
  code: () => number,
): Promise<number> {
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.err(explainError(program.name(), error));
    return error instanceof ControlClientError && error.code === 'CONFIG_REFUSED' ? EXIT.usage : EXIT.failed;
  }
}
