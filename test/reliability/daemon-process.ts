// The built daemon as a process of a reliability test, on the simulated Pi, in a directory of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../daemon/control/client.js';
import type { DaemonStatus, LineStatus } from '../../daemon/control/target.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What is tested; `npm run build` makes it. */
export const PROGRAM = process.env.GPIO_IRQD ?? join(ROOT, 'dist/daemon/main.js');

/** The answer of `GET /v1/status`. */
export type Status = DaemonStatus & {
  readonly control: { readonly watching: number; readonly refused: number; readonly requests: number };
};

/** How a process is started. */
export interface StartOptions {
  /** A file that gets standard output and standard error; default: they are collected. */
  readonly output?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory with a configuration and a socket, and the daemons that are started on them. */
export class Site {
  readonly directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-reliability-'));
  readonly config = join(this.directory, 'config.yaml');
  socket = join(this.directory, 'control.sock');
  readonly #running: DaemonProcess[] = [];

  /** Writes a file. @returns its path */
  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts a daemon; it is not ready yet. */
  spawn({ output, env = {} }: StartOptions = {}): DaemonProcess {
    if (!existsSync(PROGRAM)) throw new Error(`no ${PROGRAM}: npm run build`);
    const out = output === undefined ? 'pipe' : openSync(output, 'w');
    const args = [PROGRAM, '--config', this.config, '--driver', 'sim', '--socket', this.socket];
    const child = spawn(process.execPath, args, {
      cwd: this.directory,
      env: { PATH: process.env.PATH ?? '', TMPDIR: this.directory, ...env },
      stdio: ['ignore', out, out],
    });
    const daemon = new DaemonProcess(child, this.socket);
    this.#running.push(daemon);
    return daemon;
  }

  /** Starts a daemon, and waits until it answers. */
  async start(options: StartOptions = {}): Promise<DaemonProcess> {
    const daemon = this.spawn(options);
    await daemon.ready();
    return daemon;
  }

  /** Ends what still runs, and removes the directory. */
  async close(): Promise<void> {
    for (const daemon of this.#running) await daemon.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One daemon. */
export class DaemonProcess {
  readonly client: ControlClient;
  /** What it wrote, when it is collected. */
  out = '';
  readonly pid: number;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  #isOver = false;

  constructor(child: ChildProcess, socket: string) {
    if (child.pid === undefined) throw new Error('the daemon does not start');
    this.pid = child.pid;
    this.client = new ControlClient(socket);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.out += text;
      });
    }
    this.ended = new Promise((settle) => {
      child.once('close', (code, signal) => {
        this.#isOver = true;
        settle(code ?? signal ?? 'unknown');
      });
    });
  }

  /** Waits until this very process answers at its socket; rejects when it ends first. */
  async ready(): Promise<void> {
    while (!this.#isOver) {
      const status = await this.status().catch(() => undefined);
      if (status?.pid === this.pid) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`the daemon ended with ${await this.ended}:\n${this.out}`);
  }

  async status(): Promise<Status> {
    return (await this.client.call('GET', '/v1/status')) as Status;
  }

  async lines(): Promise<readonly LineStatus[]> {
    return ((await this.client.call('GET', '/v1/lines')) as { lines: LineStatus[] }).lines;
  }

  press(button: string, forNs = 2_000_000): Promise<unknown> {
    return this.client.call('POST', `/v1/buttons/${button}/press`, { forNs });
  }

  /** Sends a signal, unless it has ended, and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<number | string> {
    if (!this.#isOver) process.kill(this.pid, signal);
    const end = await this.ended;
    await this.client.close();
    return end;
  }
}
