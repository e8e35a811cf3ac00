// Man pages of the two commands, made of the commands and options that they have.

import type { Command, Option } from 'commander';

/** What a page says besides what the program knows of itself. */
export interface PageFacts {
  readonly section: 1 | 8;
  /** Of the package. */
  readonly version: string;
  /** Paragraphs; a line of its own for each. */
  readonly description: readonly string[];
  /** File and what it is. */
  readonly files: readonly (readonly [path: string, what: string])[];
  /** Variable and what it does. */
  readonly environment?: readonly (readonly [name: string, what: string])[];
  /** Command line and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** As `gpio-irqctl(1)`. */
  readonly seeAlso: readonly string[];
}

const EXIT_STATUS = [
  ['0', 'Done.'],
  ['1', 'Refused or failed; standard error says why, and what can be done about it.'],
  ['2', 'Wrong use, or a wrong configuration.'],
] as const;

/** Text as roff takes it: its escape character and hyphens are plain, and no line begins with a request. */
export function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('µ', '\\(mc')
    .replaceAll('’', "'")
    .replaceAll('…', '...')
    .replace(/^(['.])/gm, '\\&$1');
}

/** Words in backquotes are bold. */
function prose(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '\\fB$1\\fR');
}

/** Bold, names in italics. */
function flags(text: string): string {
  return escaped(text)
    .replace(/<([\w\\.-]+)>/g, '\\fI$1\\fB')
    .replace(/\[([\w\\.-]+)\]/g, '\\fR[\\fI$1\\fR]\\fB')
    .replace(/^/, '\\fB')
    .concat('\\fR');
}

/** A section; none without lines. */
export function heading(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

/** A tagged paragraph; its text is a sentence. */
export function item(tag: string, text: string): string[] {
  const sentence =
    text === '' ? 'See above.' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/([.!])\.$/, '$1');
  return ['.TP', tag, prose(sentence)];
}

function optionItem(option: Option): string[] {
  const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`;
  const given = option.defaultValueDescription ?? option.defaultValue;
  const fallback = typeof given === 'string' ? ` (default: ${given})` : '';
  return item(flags(option.flags), `${option.description}${choices}${fallback}`);
}

function commandLines(command: Command, shared: ReadonlySet<string>): string[] {
  const words = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const own = command.options.filter(
    ({ long, hidden }) => !hidden && !(shared.has(long ?? '') && command.parent !== null),
  );
  return [
    ...item(flags([command.name(), ...words].join(' ')), command.description()),
    ...(own.length === 0 ? [] : ['.RS', ...own.flatMap(optionItem), '.RE']),
  ];
}

/** Writes the page. */
export function manPage(program: Command, facts: PageFacts): string {
  const name = program.name();
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  const shared = new Set(program.options.map(({ long }) => long ?? ''));
  const items = (pairs: readonly (readonly [string, string])[]): string[] =>
    pairs.flatMap(([tag, text]) => item(`\\fB${escaped(tag)}\\fR`, text));
  const lines = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} ${facts.section} "" "gpio\\-irqd ${facts.version}" "gpio\\-irqd"`,
    ...heading('NAME', [`${escaped(name)} \\- ${prose(program.description().replace(/\.$/, ''))}`]),
    ...heading('SYNOPSIS', [`.B ${escaped(name)}`, '.RI [ options ]', '.I command', '.RI [ arguments ]']),
    ...heading(
      'DESCRIPTION',
      facts.description.flatMap((text, i) => (i === 0 ? [prose(text)] : ['.PP', prose(text)])),
    ),
    ...heading(
      'COMMANDS',
      commands.flatMap((command) => commandLines(command, shared)),
    ),
    ...heading('OPTIONS', [
      ...program.options.filter(({ hidden }) => !hidden).flatMap(optionItem),
      ...item('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'say more; after a command, of that command'),
    ]),
    ...heading('EXIT STATUS', items(EXIT_STATUS)),
    ...heading('ENVIRONMENT', items(facts.environment ?? [])),
    ...heading('FILES', items(facts.files)),
    ...heading('EXAMPLES', items(facts.examples)),
    ...heading('SEE ALSO', [
      facts.seeAlso
        .map((page) =>
          page.replace(/^(.*)\((\d)\)$/, (_, title, section) => `.BR ${escaped(String(title))} (${section}),`),
        )
        .join('\n')
        .replace(/,$/, ''),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
