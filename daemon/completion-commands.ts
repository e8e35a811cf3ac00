// The commands of gpio-irqctl that complete it in shells: the script, and the names that it asks for.

import { posix } from 'node:path';
import { Argument, type Command } from 'commander';
import type { Shell } from './completion/shells.js';
import type { NameKind } from './completion/spec.js';
import type { ControlClient } from './control/client.js';
import type { FileAnswer } from './control/model-target.js';
import type { InterruptsStatus, LineStatus } from './control/target.js';
import type { Session } from './session.js';

/** A shell waits while it completes; a daemon that is slower has nothing to offer. */
const NAMES_MS = 1_500;

async function linesOf(client: ControlClient, wanted: (line: LineStatus) => boolean): Promise<string[]> {
  const { lines } = (await client.call('GET', '/v1/lines')) as { lines: LineStatus[] };
  return lines.filter(wanted).map(({ name }) => name);
}

/** Files of the model that begin as what was typed; directories end in a slash. */
async function pathsOf(client: ControlClient, typed: string): Promise<string[]> {
  const directory = posix.normalize(`/${typed.slice(0, typed.lastIndexOf('/') + 1)}`);
  const route = directory.split('/').map(encodeURIComponent).join('/').replace(/\/$/, '');
  const answer = (await client.call('GET', `/v1/files${route === '' ? '/' : route}`)) as FileAnswer;
  if (!('entries' in answer)) return [];
  return answer.entries.map((entry) => `${directory}${entry.name}${entry.directory ? '/' : ''}`);
}

const NAMES: { readonly [K in NameKind]: (client: ControlClient, typed: string) => Promise<string[]> } = {
  lines: (client) => linesOf(client, () => true),
  outputs: (client) => linesOf(client, ({ direction }) => direction === 'out'),
  buttons: (client) => linesOf(client, ({ direction }) => direction === 'in'),
  irqs: async (client) => {
    const { interrupts } = (await client.call('GET', '/v1/interrupts')) as InterruptsStatus;
    return interrupts.map(({ irq }) => String(irq));
  },
  hooks: async (client) => ((await client.call('GET', '/v1/hooks')) as { hooks: string[] }).hooks,
  paths: pathsOf,
};

/** Never fails: where there is no daemon there is nothing to offer, and a shell is no place for messages. */
async function showNames(session: Session, kind: NameKind, typed: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<string[]>((resolve) => {
    timer = setTimeout(resolve, NAMES_MS, []);
  });
  try {
    const names = await session.connected((client) => Promise.race([NAMES[kind](client, typed), tooLong]));
    session.io.out(names.map((name) => `${name}\n`).join(''));
  } catch {
    // Nothing to offer.
  } finally {
    clearTimeout(timer);
  }
}

/** Adds the commands. */
export function addCompletionCommands(program: Command, session: Session): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh', 'fish']))
    .description('the script that completes this command in a shell: source <(gpio-irqctl completion bash)')
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion/shells.js');
      session.io.out(completionScript(shell, program));
    });
  program
    .command('names', { hidden: true })
    .addArgument(new Argument('<kind>').choices(Object.keys(NAMES)))
    .argument('[typed]', 'what is there already', '')
    .action((kind: NameKind, typed: string) => showNames(session, kind, typed));
}
