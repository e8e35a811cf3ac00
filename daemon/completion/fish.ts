// Completion for fish. What the daemon knows is asked with the hidden command `names`.

import type { CommandSpec, OptionSpec, ProgramSpec, Values } from './spec.js';

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function offered(name: string, values: Values): string {
  switch (values.kind) {
    case 'words':
      return ` -f -a ${quoted(values.words.join(' '))}`;
    case 'names':
      return ` -f -a '(__${name.replaceAll('-', '_')}_names ${values.of})'`;
    case 'files':
      return ' -F';
    case 'any':
      return ' -f';
  }
}

function optionLine(name: string, condition: string, { flags, description, values }: OptionSpec): string {
  const typed = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = values === undefined ? '' : ` -r${offered(name, values)}`;
  return `complete -c ${name} -n ${quoted(condition)} ${typed.join(' ')}${value} -d ${quoted(description)}`;
}

/** How many arguments of the command have been typed is counted by a function, which leaves options out. */
function argumentLine(name: string, command: string, place: number, values: Values): string {
  const condition = `__${name.replaceAll('-', '_')}_at ${command} ${place}`;
  return `complete -c ${name} -n ${quoted(condition)}${offered(name, values)}`;
}

function commandLines(name: string, { name: command, description, options, args }: CommandSpec): string[] {
  const id = `__${name.replaceAll('-', '_')}_at`;
  return [
    `complete -c ${name} -n '${id} "" 0' -f -a ${command} -d ${quoted(description)}`,
    ...options.map((option) => optionLine(name, `__fish_seen_subcommand_from ${command}`, option)),
    ...args.map((values, place) => argumentLine(name, command, place, values)),
  ];
}

/** Writes the script, for a file of ~/.config/fish/completions or /usr/share/fish/vendor_completions.d. */
export function fishCompletion({ name, options, commands }: ProgramSpec): string {
  const id = `__${name.replaceAll('-', '_')}_at`;
  const taking = [...options, ...commands.flatMap((command) => command.options)].filter(
    ({ values }) => values !== undefined,
  );
  const takers = [...new Set(taking.flatMap(({ flags }) => flags))];
  return `# Completion of ${name} for fish.

# Whether the command is $argv[1] (empty for none yet), and as many arguments of it as $argv[2] have been typed.
function ${id}
    set -l words (commandline -opc)
    set -l command ''
    set -l place 0
    set -l skip 0
    for word in $words[2..-1]
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case ${takers.join(' ')}
                set skip 1
            case '-*'
            case '*'
                if test -z "$command"
                    set command $word
                else
                    set place (math $place + 1)
                end
        end
    end
    test $skip -eq 0; and test "$command" = "$argv[1]"; and test $place -eq $argv[2]
end

# What the daemon knows; of which one, --socket says.
function __${name.replaceAll('-', '_')}_names
    set -l socket
    set -l words (commandline -opc)
    if set -l at (contains -i -- --socket $words)
        set socket --socket $words[(math $at + 1)]
    end
    command ${name} names $argv[1] (commandline -ct) $socket 2>/dev/null
end

complete -c ${name} -f
${options.map((option) => optionLine(name, `${id} "" 0`, option)).join('\n')}
${commands.flatMap((command) => commandLines(name, command)).join('\n')}
`;
}
