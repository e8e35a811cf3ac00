// A real Mosquitto as a process of the test: with what configuration it wants, killed and started again, stopped and continued.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { freePort } from '../../daemon/free-port.spec-helper.js';

/** Debian has it where root looks for it. */
const PROGRAM = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync);

/** Waits for a promise-less condition, as long as the test may last. */
export async function until(what: string, check: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`after ${ms} ms not yet: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** A broker; its directory is for files that it reads. */
export class Mosquitto {
  readonly directory = mkdtempSync(join(tmpdir(), 'gpio-irqd-mosquitto-'));
  port = 0;
  log = '';
  #child: ChildProcess | undefined;
  #config = '';

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Writes a file that the broker reads. @returns its path */
  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  /**
   * Starts it.
   *
   * @param config lines besides the listener; without any, everybody may do everything
   * @param listener lines of the listener
   */
  async start(config: readonly string[] = ['allow_anonymous true'], listener: readonly string[] = []): Promise<void> {
    if (PROGRAM === undefined) throw new Error('no mosquitto on this machine: apt-get install mosquitto');
    this.port = await freePort();
    const user = [`user ${userInfo().username}`, 'persistence false', 'log_type all'];
    const lines = [...user, `listener ${this.port} 127.0.0.1`, ...listener, ...config];
    this.#config = this.write('mosquitto.conf', `${lines.join('\n')}\n`);
    await this.restart();
  }

  /** Starts it again, at the same port; it has forgotten everything. */
  async restart(): Promise<void> {
    const child = spawn(PROGRAM ?? '', ['-c', this.#config], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.#child = child;
    await until('mosquitto answers', async () => {
      if (child.exitCode !== null) throw new Error(`mosquitto has ended: ${this.log}`);
      return answers(this.port);
    });
  }

  /** Ends it without a word to anybody. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** It accepts connections, and reads and says nothing until {@link go}. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  go(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    this.go();
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Somebody else at the broker, who hears everything. */
export class Observer {
  readonly heard: { readonly topic: string; readonly payload: string; readonly retain: boolean }[] = [];
  readonly client: MqttClient;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain }) => {
      this.heard.push({ topic, payload: payload.toString(), retain: retain === true });
    });
  }

  /** Connects, and has subscribed when this resolves. */
  static async connect(url: string, options: IClientOptions = {}): Promise<Observer> {
    const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 100, clean: true, ...options });
    const observer = new Observer(client);
    let up = false;
    client.on('error', () => undefined);
    client.on(
      'connect',
      () =>
        void client.subscribeAsync('#', { qos: 1 }).then(
          () => (up = true),
          () => undefined,
        ),
    );
    await until('the observer has subscribed', () => up);
    return observer;
  }

  /** The newest payload of a topic. */
  newest(topic: string): string | undefined {
    return this.heard.findLast((one) => one.topic === topic)?.payload;
  }

  /** Numbers of the edges that a topic has told of, without those that came twice. */
  seqnos(topic: string): number[] {
    const payloads = this.heard.filter((one) => one.topic === topic).map(({ payload }) => payload);
    return [...new Set(payloads.map((payload) => (JSON.parse(payload) as { seqno: number }).seqno))];
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** A network between a client and the broker, which can be cut. */
export class Network {
  port = 0;
  #open = true;
  readonly #broker: Mosquitto;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(broker: Mosquitto) {
    this.#broker = broker;
  }

  async start(): Promise<void> {
    const server = createServer((near) => {
      if (!this.#open) return void near.destroy();
      const far = connect(this.#broker.port, '127.0.0.1');
      for (const [one, other] of [[near, far] as const, [far, near] as const]) {
        this.#sockets.add(one);
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.on('error', () => undefined);
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Cuts every connection, and lets none through until {@link mend}. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#open = true;
  }

  close(): void {
    this.cut();
    this.#server?.close();
  }
}
