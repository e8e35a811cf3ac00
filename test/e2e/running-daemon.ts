// The daemon as it is shipped: built from the sources as they are now, run as a process of its own, asked over its socket.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import { ControlClient } from '../../daemon/control/client.js';
import type { ControlEvent, DaemonStatus, InterruptsStatus, LineStatus } from '../../daemon/control/target.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const EXAMPLE = join(ROOT, 'examples/button-led.yaml');

/** What a finished program left. */
export interface Finished {
  /** Exit code; `undefined` when a signal ended it. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** A program that runs. */
export class Running {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #heard: () => void = () => undefined;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.#heard();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.finished = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#heard();
        resolve({ code: code ?? undefined, out: this.out, err: this.err });
      });
    });
  }

  /** Waits until `text` is in its output; rejects when it ends first. */
  async says(text: string): Promise<void> {
    while (!this.out.includes(text)) {
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`it ended without "${text}":\n${this.out}${this.err}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Sends a signal, and waits for the end. */
  async ends(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}

/** A daemon that is ready, and its clients. */
export class Daemon extends Running {
  readonly socket: string;
  readonly client: ControlClient;
  readonly #lab: Lab;

  constructor(lab: Lab, child: ChildProcess, socket: string) {
    super(child);
    this.#lab = lab;
    this.socket = socket;
    this.client = new ControlClient(socket);
  }

  /** Runs gpio-irqctl. */
  ctl(...args: string[]): Promise<Finished> {
    return this.#lab.run('ctl', ['--socket', this.socket, ...args]).finished;
  }

  press(button: string, options: { forNs?: number; bounce?: boolean } = {}): Promise<unknown> {
    return this.client.call('POST', `/v1/buttons/${button}/press`, options);
  }

  async status(): Promise<DaemonStatus> {
    return (await this.client.call('GET', '/v1/status')) as DaemonStatus;
  }

  async line(name: string): Promise<LineStatus> {
    return (await this.client.call('GET', `/v1/lines/${name}`)) as LineStatus;
  }

  async interrupts(): Promise<InterruptsStatus> {
    return (await this.client.call('GET', '/v1/interrupts')) as InterruptsStatus;
  }

  async trace(): Promise<string> {
    return ((await this.client.call('GET', '/v1/trace')) as { text: string }).text;
  }

  /** Collects the events from now on; `until` resolves once one fits. */
  async watch(): Promise<Watch> {
    const client = this.#lab.clientOf(this.socket);
    const watch = new Watch(client);
    await watch.started;
    return watch;
  }
}

/** Events of a daemon, as they come. */
export class Watch {
  readonly events: ControlEvent[] = [];
  /** Resolves when the daemon counts a watcher more. */
  readonly started: Promise<void>;
  #heard: () => void = () => undefined;

  constructor(client: ControlClient) {
    const watching = async (): Promise<number> => {
      const { control } = (await client.call('GET', '/v1/status')) as { control: { watching: number } };
      return control.watching;
    };
    this.started = (async () => {
      const before = await watching();
      void this.#collect(client);
      while ((await watching()) <= before);
    })();
  }

  async #collect(client: ControlClient): Promise<void> {
    try {
      for await (const event of client.events()) {
        this.events.push(event);
        this.#heard();
      }
    } catch {
      // The daemon has ended, or the test has.
    }
  }

  /** The first event that fits, past ones included. */
  async until(fits: (event: ControlEvent) => boolean): Promise<ControlEvent> {
    for (;;) {
      const event = this.events.find(fits);
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Waits for as many events of a type; those of that type so far. */
  async count<T extends ControlEvent['type']>(type: T, count: number): Promise<(ControlEvent & { type: T })[]> {
    const fitting = (): (ControlEvent & { type: T })[] =>
      this.events.filter((event): event is ControlEvent & { type: T } => event.type === type);
    await this.until(() => fitting().length >= count);
    return fitting();
  }
}

/** A step of the build. Compilers complain on their output, which the error of `execFile` does not show. */
async function runNode(...args: string[]): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, args);
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`);
  }
}

async function buildPackage(folder: string): Promise<void> {
  for (const part of ['package.json', 'node_modules', 'build', 'examples'])
    symlinkSync(join(ROOT, part), join(folder, part));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await runNode(tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'));
  await runNode(join(ROOT, 'packaging/bundle.mjs'), folder);
}

/** Whoever comes first builds it, in whatever process; the others wait until it is there. */
async function buildOnce(folder: string): Promise<void> {
  const [begun, done, failed] = [join(folder, 'begun'), join(folder, 'done'), join(folder, 'failed')];
  try {
    mkdirSync(begun);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    while (!existsSync(done)) {
      if (existsSync(failed)) throw new Error('the package could not be built: see the spec that began to');
      await sleep(50);
    }
    return;
  }
  try {
    await buildPackage(folder);
    writeFileSync(done, '');
  } catch (error) {
    writeFileSync(failed, '');
    throw error;
  }
}

/** What the package runs. */
type Program = 'main' | 'ctl' | 'warm';

/** A package that is built in a temporary directory, and a fresh directory for each test. */
export class Lab {
  /** For the files of one test. */
  directory = '';
  #package = '';
  #own = false;
  readonly #children: Running[] = [];
  readonly #clients: ControlClient[] = [];

  /** @param own the package is to be changed, and not that of others */
  async build(own: boolean): Promise<void> {
    this.#own = own;
    this.#package = own ? mkdtempSync(join(tmpdir(), 'gpio-irqd-built-')) : inject('package');
    await (own ? buildPackage(this.#package) : buildOnce(this.#package));
  }

  remove(): void {
    if (this.#own) rmSync(this.#package, { recursive: true, force: true });
  }

  open(): void {
    this.directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-e2e-'));
  }

  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.close();
    for (const running of this.#children.splice(0)) {
      running.child.kill('SIGKILL');
      await running.finished;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Writes a file of the test. @returns its path. */
  write(name: string, text: string): string {
    const path = join(this.directory, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  clientOf(socket: string): ControlClient {
    const client = new ControlClient(socket);
    this.#clients.push(client);
    return client;
  }

  /** Where the programs are. */
  get programs(): string {
    return join(this.#package, 'dist/daemon');
  }

  /** Starts gpio-irqd (`main`), gpio-irqctl (`ctl`), or what keeps code for starts to come (`warm`). */
  run(program: Program, args: readonly string[]): Running {
    const running = new Running(this.#spawn(program, args));
    this.#children.push(running);
    return running;
  }

  /** Starts the daemon on the simulated Pi, and waits until it is ready. */
  start(config: string, ...args: string[]): Promise<Daemon> {
    return this.startAs('control', config, ...args);
  }

  /** The same for one of several. @param name of its socket */
  async startAs(name: string, config: string, ...args: string[]): Promise<Daemon> {
    const socket = join(this.directory, `${name}.sock`);
    const child = this.#spawn('main', ['--config', config, '--driver', 'sim', '--socket', socket, ...args]);
    const daemon = new Daemon(this, child, socket);
    this.#children.push(daemon);
    this.#clients.push(daemon.client);
    await daemon.says('Ctrl-C ends it');
    return daemon;
  }

  /** `npm start`, in a process group of its own, as a terminal gives it one. */
  npmStart(): Running {
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: this.directory, TMPDIR: this.directory, npm_config_update_notifier: 'false' };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const running = new Running(
      spawn('npm', ['start'], { cwd: this.#package, detached: true, env, stdio: [...stdio] }),
    );
    this.#children.push(running);
    return running;
  }

  #spawn(program: Program, args: readonly string[]): ChildProcess {
    const { PATH = '' } = process.env;
    return spawn(process.execPath, [join(this.programs, `${program}.js`), ...args], {
      cwd: this.directory,
      env: { PATH, TMPDIR: this.directory, SECRET: 'of the daemon' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** The lab of a spec file: built before its tests, emptied after each. @param own as {@link Lab.build} wants it */
export function useLab({ own = false } = {}): Lab {
  const lab = new Lab();
  beforeAll(() => lab.build(own), 300_000);
  afterAll(() => lab.remove());
  beforeEach(() => lab.open());
  afterEach(() => lab.close());
  return lab;
}
