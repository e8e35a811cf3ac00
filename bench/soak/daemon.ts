// The daemon under soak: a process of its own, asked over its socket, and looked at through /proc.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { ControlClient } from '../../daemon/control/client.js';
import type { DaemonStatus } from '../../daemon/control/target.js';

/** The answer of `GET /v1/status`. */
export type Status = DaemonStatus & { readonly control: { readonly watching: number; readonly dropped: number } };

/** A daemon that serves. */
export class SoakedDaemon {
  readonly client: ControlClient;
  /** What it wrote to standard output and standard error. */
  out = '';
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(child: ChildProcess, pid: number, socket: string) {
    this.#child = child;
    this.#pid = pid;
    this.client = new ControlClient(socket);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.out += text;
      });
    }
  }

  /** Starts a program as the daemon, and waits until it answers. */
  static async start(program: string, config: string, socket: string): Promise<SoakedDaemon> {
    const args = [program, '--config', config, '--driver', 'sim', '--socket', socket];
    const child = spawn(process.execPath, args, {
      // As the unit starts it.
      env: { PATH: process.env.PATH ?? '', NODE_OPTIONS: '--max-semi-space-size=1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid === undefined) throw new Error(`${program} does not start`);
    const daemon = new SoakedDaemon(child, child.pid, socket);
    while (!daemon.out.includes('Ctrl-C ends it')) {
      if (child.exitCode !== null) throw new Error(`${program} ended:\n${daemon.out}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return daemon;
  }

  async status(): Promise<Status> {
    return (await this.client.call('GET', '/v1/status')) as Status;
  }

  /** A value of its metrics. */
  async metric(name: string): Promise<number> {
    const text = await this.client.text('GET', '/metrics');
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no metric ${name}`);
    return Number(line.slice(name.length + 1));
  }

  /** Resident memory in KiB; `NaN` when it is gone. */
  get rssKiB(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length;
  }

  /** CPU time so far, in s. */
  get cpuS(): number {
    // After the name, which may have spaces: state is field 3, utime and stime are 14 and 15, in ticks of 10 ms.
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Ends it. @returns its exit code */
  async end(): Promise<number | null> {
    await this.client.close();
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    return this.#child.exitCode;
  }
}
