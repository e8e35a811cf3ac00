// One run of gpio-irqctl: which daemon it asks, and how answers are shown.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Surroundings } from './cli.js';
import { ControlClient, type Method } from './control/client.js';
import { ControlClientError } from './control/client-error.js';
import { checkDirectory, defaultSocketPath } from './control/socket.js';

/** Where the shipped unit has its socket. */
const SERVICE_SOCKET = '/run/gpio-irqd/control.sock';

interface Options {
  readonly socket?: string;
  readonly json?: boolean;
}

/** The user's own daemon, or the service. Throws KernelError `EACCES` when the directory could be another user's trap. */
export function findSocket(io: Pick<Surroundings, 'env' | 'uid'>): string {
  const own = defaultSocketPath(io);
  if (!existsSync(own) && existsSync(SERVICE_SOCKET)) return SERVICE_SOCKET;
  if (existsSync(dirname(own))) checkDirectory(dirname(own), io.uid);
  return own;
}

/** The client, and how answers are shown. */
export class Session {
  readonly io: Surroundings;
  readonly #program: Command;

  constructor(io: Surroundings, program: Command) {
    this.io = io;
    this.#program = program;
  }

  get #options(): Options {
    return this.#program.opts();
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  async connected<T>(use: (client: ControlClient) => Promise<T>): Promise<T> {
    const client = new ControlClient(this.#options.socket ?? findSocket(this.io));
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }

  /** Asks, and shows the answer: as JSON, or as `format` says. */
  async ask<T>(method: Method, route: string, format: (answer: T) => string, body?: unknown): Promise<void> {
    const answer = (await this.connected((client) => client.call(method, route, body))) as T;
    this.io.out(this.json ? `${JSON.stringify(answer)}\n` : shown(() => format(answer)));
  }
}

/** An answer as text. @throws ControlClientError `BAD_ANSWER` for one of another form, as another version of the daemon may give */
export function shown(format: () => unknown): string {
  let text: unknown;
  try {
    text = format();
  } catch (error) {
    // What a form that is not there comes to.
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
  }
  if (typeof text === 'string') return text;
  const hint =
    'Is it a gpio-irqd of the version of this command (--version)? With --json the answer is shown as it is.';
  throw new ControlClientError('BAD_ANSWER', 'the daemon answered in a form that this command does not know', hint);
}
