// The commands of gpio-irqctl: each asks the daemon one thing and shows the answer.

import type { Command } from 'commander';
import { argument, createProgram, EXIT, runProgram, type Surroundings } from './cli.js';
import { addCompletionCommands } from './completion-commands.js';
import { formatDuration, parseDuration } from './config/duration.js';
import {
  type DaemonStatus,
  type InterruptsStatus,
  type LineStatus,
  PRESS_MAX_NS,
  type ReloadReport,
} from './control/target.js';
import { formatLines, formatParked, formatReload, table } from './format.js';
import { addModelCommands } from './model-commands.js';
import type { MqttStatus } from './mqtt/port.js';
import { Session } from './session.js';
import { addWatchCommands } from './watch-commands.js';

function formatStatus(
  status: DaemonStatus & { control?: { watching: number; dropped: number; refused: number } },
): string {
  const { chip, edges } = status;
  const rows: (readonly (string | number)[])[] = [
    ['driver', status.simulated ? `${status.driver} (simulated: nothing here is real)` : status.driver],
    ['chip', `${chip.name} [${chip.label}] (${chip.lines} lines)`],
    ['health', status.problem ?? 'ok'],
    ...formatParked(status.parked).map((text) => ['held besides', text]),
    ['edges', `${edges.received} received, ${edges.lost} lost, ${status.dropped} without thread or work`],
    ...(status.leftOut > 0 ? [['storms', `${status.leftOut} edges left out`]] : []),
    ['handler errors', String(status.handlerErrors)],
    ...(status.mqtt === undefined ? [] : [['mqtt', formatMqtt(status.mqtt)]]),
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

function formatMqtt({ broker, connected, problem, queued, published, dropped }: MqttStatus): string {
  const state = connected ? `connected to ${broker}` : `${broker}: ${problem ?? 'not connected yet'}`;
  return `${state}; ${published} published, ${queued} waiting, ${dropped} given up`;
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
    .action(() => session.ask('GET', '/v1/lines', formatLines));
  program
    .command('get <line>')
    .description('the level of a line: 0 or 1, alone')
    .action((name: string) => session.ask<LineStatus>('GET', line(name), (answer) => `${answer.value}\n`));
  program
    .command('set')
    .argument('<output>')
    .argument('<value>', '0 or 1', level)
    .description('set an output')
    .action((name: string, value: number) => session.ask('PUT', line(name), () => '', { value }));
  program
    .command('interrupts')
    .description('/proc/interrupts of the model')
    .action(() => session.ask<InterruptsStatus>('GET', '/v1/interrupts', (answer) => answer.text));
  addModelCommands(program, (...question) => session.ask(...question));
  addWatchCommands(program, session);
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

function addServiceCommands(program: Command, session: Session): void {
  program
    .command('reload')
    .description('read the configuration again; a wrong one changes nothing, and is exit status 2')
    .action(() => session.ask<ReloadReport>('POST', '/v1/reload', formatReload));
  program
    .command('hook <hook> [payload]')
    .description('run the actions of a trigger that waits for this hook, with what {payload} stands for')
    .action((name: string, payload: string | undefined) =>
      session.ask('POST', `/v1/hooks/${encodeURIComponent(name)}`, () => '', payload === undefined ? {} : { payload }),
    );
  program
    .command('hooks')
    .description('the hooks that triggers wait for')
    .action(() =>
      session.ask<{ hooks: string[] }>('GET', '/v1/hooks', ({ hooks }) => hooks.map((hook) => `${hook}\n`).join('')),
    );
  program
    .command('openapi')
    .description('the description of the API, in OpenAPI 3.1')
    .action(() => session.ask('GET', '/v1/openapi.json', (answer) => `${JSON.stringify(answer, undefined, 2)}\n`));
}

const SOCKET = 'control socket of the daemon (default: your own daemon, else the service)';
const JSON_LINES = 'answers as JSON, one a line';

/** The program with its commands; what they do is done at its run. */
export function createControlProgram(io: Surroundings): Command {
  const program = createProgram('gpio-irqctl', 'Ask and tell a running gpio-irqd.', io)
    .option('--socket <path>', SOCKET)
    .option('--json', JSON_LINES);
  const session = new Session(io, program);
  addCommands(program, session);
  addServiceCommands(program, session);
  addCompletionCommands(program, session);
  // Options may stand before or after the command, as in `gpio-irqctl lines --json`.
  for (const command of program.commands) {
    command.option('--socket <path>', SOCKET).option('--json', JSON_LINES);
  }
  program.hook('preAction', (_program, command) => {
    for (const [key, value] of Object.entries(command.opts())) {
      if (key === 'socket' || key === 'json') program.setOptionValue(key, value);
    }
  });
  return program;
}

/** gpio-irqctl. @returns the exit code. */
export function controlMain(args: readonly string[], io: Surroundings): Promise<number> {
  return runProgram(createControlProgram(io), args, io, () => EXIT.done);
}
