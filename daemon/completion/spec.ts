// What a shell has to know of a program to complete it: made of the program's own commands and options.

import type { Argument, Command, Option } from 'commander';
import { EVENT_TYPES } from '../control/events.js';

/** What may stand at a place. `names` are asked of the running daemon. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names'; readonly of: NameKind }
  | { readonly kind: 'files' }
  | { readonly kind: 'any' };

/** Names that the running daemon knows. */
export const NAME_KINDS = ['lines', 'outputs', 'buttons', 'irqs', 'hooks', 'paths'] as const;

/** One of them. */
export type NameKind = (typeof NAME_KINDS)[number];

/** An option. */
export interface OptionSpec {
  /** As typed: `-c`, `--config`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent when it takes none. */
  readonly values?: Values;
}

/** A command. */
export interface CommandSpec {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionSpec[];
  readonly args: readonly Values[];
}

/** A program. */
export interface ProgramSpec {
  readonly name: string;
  readonly options: readonly OptionSpec[];
  readonly commands: readonly CommandSpec[];
}

const FILES: Values = { kind: 'files' };
const ANY: Values = { kind: 'any' };
const names = (of: NameKind): Values => ({ kind: 'names', of });
const words = (...given: string[]): Values => ({ kind: 'words', words: given });

/** What arguments and the values of options are, by the names that they have in the help. */
const BY_NAME: Readonly<Record<string, Values>> = {
  line: names('lines'),
  lines: names('lines'),
  output: names('outputs'),
  button: names('buttons'),
  irq: names('irqs'),
  hook: names('hooks'),
  types: words(...Object.values(EVENT_TYPES)),
  value: words('0', '1'),
  what: words('enable', 'disable', 'affinity'),
  file: FILES,
  files: FILES,
  directory: FILES,
};

function valuesOfOption(option: Option): Values | undefined {
  const name = /[<[]([\w-]+)/.exec(option.flags)?.[1];
  if (name === undefined) return undefined;
  if (option.argChoices !== undefined) return { kind: 'words', words: option.argChoices };
  return name === 'path' ? FILES : (BY_NAME[name] ?? ANY);
}

function valuesOfArgument(argument: Argument): Values {
  if (argument.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  // A path that is no option's is one of the model's files.
  return argument.name() === 'path' ? names('paths') : (BY_NAME[argument.name()] ?? ANY);
}

function optionsOf(command: Command): OptionSpec[] {
  const own = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => {
      const values = valuesOfOption(option);
      return {
        flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
        description: option.description,
        ...(values === undefined ? {} : { values }),
      };
    });
  return [...own, { flags: ['-h', '--help'], description: 'say more' }];
}

/** Reads a program. Commands that commander hides are left out. */
export function programSpec(program: Command): ProgramSpec {
  const options = optionsOf(program);
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      options: optionsOf(command),
      args: command.registeredArguments.map(valuesOfArgument),
    }));
  return { name: program.name(), options, commands };
}
