// The commands of gpio-irqctl: each asks the daemon one thing and shows the answer.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { argument, createProgram, EXIT, runProgram, type Surroundings } from './cli.js';
import { formatDuration, parseDuration } from './config/duration.js';
import { ControlClient } from './control/client.js';
import { ControlClientError } from './control/client-error.js';
import { checkDirectory, defaultSocketPath } from './control/socket.js';
import { type DaemonStatus, type InterruptsStatus, type LineStatus, PRESS_MAX_NS } from './control/target.js';
import { formatEvent, formatLines, table } from './format.js';
import { addModelCommands } from './model-commands.js';

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

function formatStatus(
  status: DaemonStatus & { control?: { watching: number; dropped: number; refused: number } },
): string {
  const { chip, edges } = status;
  const rows: (readonly (string | number)[])[] = [
    ['driver', status.simulated ? `${status.driver} (simulated: nothing here is real)` : status.driver],
    ['chip', `${chip.name} [${chip.label}] (${chip.lines} lines)`],
    ['health', status.problem ?? 'ok'],
    ['edges', `${edges.received} received, ${edges.lost} lost, ${status.dropped} without thread or work`],
    ...(status.leftOut > 0 ? [['storms', `${status.leftOut} edges left out`]] : []),
    ['handler errors', String(status.handlerErrors)],
    ['up', formatDuration(Math.floor(status.uptimeNs / 1e9) * 1e9)],
    ['config', status.config],
    ['version', `${status.version} (pid ${status.pid})`],
  ];
  if (status.control !== undefined) {
    const { watching, dropped, refused } = status.control;
    rows.push(['control', `${watching} watching, ${dropped} cut off, ${refused} refused`]);
  }
  return table(rows);
}

/** One run of the program: the client, and how answers are shown. */
class Session {
  readonly #io: Surroundings;
  readonly #program: Command;

  constructor(io: Surroundings, program: Command) {
    this.#io = io;
    this.#program = program;
  }

  get #options(): Options {
    return this.#program.opts();
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  async connected<T>(use: (client: ControlClient) => Promise<T>): Promise<T> {
    const client = new ControlClient(this.#options.socket ?? findSocket(this.#io));
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }

  /** Asks, and shows the answer: as JSON, or as `format` says. */
  async ask<T>(
    method: 'GET' | 'PUT' | 'POST',
    route: string,
    format: (answer: T) => string,
    body?: unknown,
  ): Promise<void> {
    const answer = (await this.connected((client) => client.call(method, route, body))) as T;
    this.#io.out(this.json ? `${JSON.stringify(answer)}\n` : format(answer));
  }

  /** Shows events until the user or the daemon ends it. */
  async watch(): Promise<void> {
    await this.connected(async (client) => {
      let ended = false;
      const forget = this.#io.onSignal(() => {
        ended = true;
        void client.close();
      });
      try {
        for await (const event of client.events()) {
          this.#io.out(`${this.json ? JSON.stringify(event) : formatEvent(event)}\n`);
        }
      } catch (error) {
        if (!ended) throw error;
      } finally {
        forget();
      }
      if (!ended)
        throw new ControlClientError('ENODATA', 'the daemon ended the events', 'It was stopped; start it again.');
    });
  }
}

const level = argument((text) => (text === '0' || text === '1' ? Number(text) : undefined), '0 or 1');
const pressTime = argument((text) => {
  const ns = parseDuration(text);
  return ns === undefined || ns < 1 || ns > PRESS_MAX_NS ? undefined : ns;
}, 'a duration up to 10s with its unit, such as 80ms');

function addCommands(program: Command, session: Session): void {
  const line = (name: string): string => `/v1/lines/${encodeURIComponent(name)}`;
  program
    .command('status')
    .description('the daemon, its driver, edges received and lost')
    .action(() => session.ask('GET', '/v1/status', formatStatus));
  program
    .command('lines')
    .description('every line with its value and its edges')
    .action(() => session.ask<{ lines: LineStatus[] }>('GET', '/v1/lines', (answer) => formatLines(answer.lines)));
  program
    .command('get <line>')
    .description('the level of a line: 0 or 1, alone')
    .action((name: string) => session.ask<LineStatus>('GET', line(name), (answer) => `${answer.value}\n`));
  program
    .command('set')
    .argument('<line>')
    .argument('<value>', '0 or 1', level)
    .description('set an output')
    .action((name: string, value: number) => session.ask('PUT', line(name), () => '', { value }));
  program
    .command('interrupts')
    .description('/proc/interrupts of the model')
    .action(() => session.ask<InterruptsStatus>('GET', '/v1/interrupts', (answer) => answer.text));
  addModelCommands(program, (...question) => session.ask(...question));
  program
    .command('trace')
    .description('what ran when, in which context')
    .action(() => session.ask<{ text: string }>('GET', '/v1/trace', (answer) => answer.text));
  program
    .command('events')
    .description('events as they happen, until Ctrl-C')
    .action(() => session.watch());
  program
    .command('press <button>')
    .description('press a simulated button, and wait until what it set off has run')
    .option('--for <duration>', 'how long it is held (default: 80ms)', pressTime)
    .option('--bounce', 'let its contact bounce')
    .action((name: string, options: { for?: number; bounce?: true }) => {
      const body = { ...(options.for === undefined ? {} : { forNs: options.for }), bounce: options.bounce === true };
      return session.ask('POST', `/v1/buttons/${encodeURIComponent(name)}/press`, () => '', body);
    });
}

/** gpio-irqctl. @returns the exit code. */
export async function controlMain(args: readonly string[], io: Surroundings): Promise<number> {
  const program = createProgram('gpio-irqctl', 'Ask and tell a running gpio-irqd.', io)
    .option('--socket <path>', 'control socket of the daemon (default: your own daemon, else the service)')
    .option('--json', 'answers as JSON, one a line');
  const session = new Session(io, program);
  addCommands(program, session);
  // Options may stand before or after the command, as in `gpio-irqctl lines --json`.
  for (const command of program.commands) command.option('--socket <path>').option('--json');
  program.hook('preAction', (_program, command) => {
    for (const [key, value] of Object.entries(command.opts())) {
      if (key === 'socket' || key === 'json') program.setOptionValue(key, value);
    }
  });
  return runProgram(program, args, io, () => EXIT.done);
}
