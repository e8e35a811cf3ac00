// Running a program for a work item: no shell, a clean environment, ended after its time.
import { execFile } from 'node:child_process';
import { KernelError } from '../../kernel/index.js';

/** Output that is kept for the log; a program that writes more is ended. */
const OUTPUT_MAX = 64 * 1024;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Variables that the program gets besides PATH. */
export type ExecEnvironment = Readonly<Record<string, string>>;

/** How a program ended well. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `argv[0]` with the other words as its arguments, each one word whatever it contains.
 *
 * @param timeoutNs after which it is killed
 * @throws KernelError ETIMEDOUT; ENOENT, EACCES when it cannot be started; EIO when it ends with another status than 0
 */
export function exec(argv: readonly string[], timeoutNs: number, env: ExecEnvironment): Promise<ExecResult> {
  const [program = '', ...args] = argv;
  const options = {
    env: { PATH, ...env },
    timeout: Math.max(1, Math.ceil(timeoutNs / 1e6)),
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_MAX,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(explain(program, error, child.killed, stderr));
    });
    child.stdin?.end();
  });
}

function explain(program: string, error: Error & { code?: unknown }, killed: boolean, stderr: string): KernelError {
  const { code } = error;
  if (code === 'ENOENT')
    return new KernelError('ENOENT', `${program}: no such program`, { hint: 'give its full path', cause: error });
  if (code === 'EACCES') {
    return new KernelError('EACCES', `${program}: may not be run by the daemon's user`, {
      hint: 'check its mode and owner',
      cause: error,
    });
  }
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return new KernelError('EIO', `${program}: wrote more than ${OUTPUT_MAX} bytes and was ended`, { cause: error });
  }
  if (killed) {
    return new KernelError('ETIMEDOUT', `${program}: ran out of time and was killed`, {
      hint: 'raise its timeout',
      cause: error,
    });
  }
  const said = stderr.trim().slice(0, 500);
  return new KernelError('EIO', `${program}: ended with status ${String(code)}${said === '' ? '' : `: ${said}`}`, {
    cause: error,
  });
}
