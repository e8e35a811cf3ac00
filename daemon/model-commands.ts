// The commands of gpio-irqctl that show the model's kernel and change it: lines, files, softirqs, workqueues, tasks.

import { posix } from 'node:path';
import type { Command } from 'commander';
import { argument } from './cli.js';
import { ControlClientError } from './control/client-error.js';
import type { FileAnswer, IrqStatus, ModelTarget, WorkqueueStatus } from './control/model-target.js';
import { table } from './format.js';

/** Asks the daemon, and shows the answer: as JSON, or as `format` says. */
export type Ask = <T>(
  method: 'GET' | 'PUT' | 'POST',
  route: string,
  format: (answer: T) => string,
  body?: unknown,
) => Promise<void>;

const SWITCHES = ['enable', 'disable'];
const PERMISSIONS = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];

const irqNumber = argument((text) => (/^\d{1,10}$/.test(text) ? text : undefined), 'the number of an interrupt');

/** What a line is at; why it is disabled, and how it is enabled again. */
function stateOf({ enabled, state, depth, throttled, heldHere, pending, irq }: IrqStatus): string {
  if (enabled) return `enabled, ${state}`;
  const elsewhere = throttled ? 'by its storm guard' : 'not from here';
  const here = heldHere === 0 ? elsewhere : `${heldHere} from here: gpio-irqctl irq ${irq} enable`;
  return `disabled (depth ${depth}, ${here})${pending ? ', an interrupt waits' : ''}`;
}

function handlersOf({ actions, chained }: IrqStatus): string {
  if (chained) return 'none: it hands on the interrupts of other lines';
  return actions.length === 0 ? 'none' : actions.join(', ');
}

/** A line, a fact a row. */
export function formatIrq(status: IrqStatus): string {
  const { irq, chip, hwirq, type, counts, affinity, effectiveAffinity, unhandled } = status;
  const goesTo = effectiveAffinity === '' ? 'where its chip sends it' : `to CPU ${effectiveAffinity}`;
  return table([
    ['irq', `${irq} (${chip} ${hwirq}, ${type})`],
    ['handlers', handlersOf(status)],
    ['state', stateOf(status)],
    ['counts', counts.map((count, cpu) => `CPU${cpu} ${count}`).join(', ')],
    ['unhandled', String(unhandled)],
    ['affinity', `CPU ${affinity}, goes ${goesTo}`],
  ]);
}

/** The queues as a table. */
export function formatWorkqueues(workqueues: readonly WorkqueueStatus[]): string {
  const head = ['NAME', 'FLAGS', 'MAX_ACTIVE', 'ACTIVE', 'WAITING', 'STARTED', 'COMPLETED'];
  const rows = workqueues.map(({ name, flags, maxActive, active, waiting, started, completed }) => [
    ...[name, flags.length === 0 ? '-' : flags.join(',')],
    ...[maxActive, active, waiting, started, completed],
  ]);
  return table([head, ...rows]);
}

function modeOf(mode: number, directory: boolean): string {
  const [user, group, others] = [6, 3, 0].map((shift) => PERMISSIONS[(mode >> shift) & 7] ?? '');
  return `${directory ? 'd' : '-'}${user}${group}${others}`;
}

function formatListing(answer: FileAnswer): string {
  if (!('entries' in answer)) return `${answer.path}\n`;
  if (answer.entries.length === 0) return '';
  return table(answer.entries.map(({ name, directory, mode }) => [modeOf(mode, directory), name]));
}

function textOf(answer: FileAnswer): string {
  if ('text' in answer) return answer.text;
  throw new ControlClientError('EISDIR', `${answer.path}: is a directory`, `gpio-irqctl ls ${answer.path} shows it`);
}

function routeOf(path: string): string {
  const names = posix
    .normalize(`/${path}`)
    .split('/')
    .filter((name) => name !== '');
  return `/v1/files/${names.map(encodeURIComponent).join('/')}`;
}

function addIrqCommand(program: Command, ask: Ask): void {
  program
    .command('irq')
    .argument('<irq>', 'number of the interrupt, as `interrupts` shows it', irqNumber)
    .argument('[what]', 'enable, disable or affinity')
    .argument('[mask]', 'for affinity: the CPUs, in hexadecimal as in smp_affinity')
    .description('an interrupt line: show it, enable or disable it, or send it to other CPUs')
    .action((irq: string, what: string | undefined, mask: string | undefined) => {
      const route = `/v1/irqs/${irq}`;
      if (what === undefined) return ask('GET', route, formatIrq);
      if (what === 'affinity' && mask !== undefined) return ask('PUT', `${route}/affinity`, formatIrq, { mask });
      if (mask === undefined && SWITCHES.includes(what)) return ask('POST', `${route}/${what}`, formatIrq);
      return program.error('error: write irq N, irq N enable, irq N disable, or irq N affinity MASK');
    });
}

/** Adds the commands. */
export function addModelCommands(program: Command, ask: Ask): void {
  addIrqCommand(program, ask);
  program
    .command('softirqs')
    .description('/proc/softirqs of the model')
    .action(() => ask<{ text: string }>('GET', '/v1/softirqs', (answer) => answer.text));
  program
    .command('workqueues')
    .description('the workqueues of the model, and what they have done')
    .action(() =>
      ask<{ workqueues: WorkqueueStatus[] }>('GET', '/v1/workqueues', (answer) => formatWorkqueues(answer.workqueues)),
    );
  program
    .command('ps')
    .description('the tasks of the model: interrupt threads, kworkers, ksoftirqd')
    .action(() => ask<ReturnType<ModelTarget['tasks']>>('GET', '/v1/tasks', (answer) => answer.text));
  program
    .command('cat <path>')
    .description('a file of the model, such as /proc/interrupts')
    .action((path: string) => ask('GET', routeOf(path), textOf));
  program
    .command('ls <path>')
    .description('a directory of the model, such as /proc/irq')
    .action((path: string) => ask('GET', routeOf(path), formatListing));
  program
    .command('write <path> <text>')
    .description('write to a file of the model, as `echo TEXT > PATH` does')
    .action((path: string, text: string) => ask('PUT', routeOf(path), () => '', { text: `${text}\n` }));
}
