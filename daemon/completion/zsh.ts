// Completion for zsh. What the daemon knows is asked with the hidden command `names`.

import type { CommandSpec, OptionSpec, ProgramSpec, Values } from './spec.js';

/** Text between single quotes, within a specification of _arguments. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:\\]/g, '\\$&');
}

function action(name: string, values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'names':
      return `{_${name.replaceAll('-', '_')}_names ${values.of}}`;
    case 'files':
      return '_files';
    case 'any':
      return ' ';
  }
}

function optionSpecs(name: string, options: readonly OptionSpec[]): string[] {
  return options.flatMap(({ flags, description, values }) =>
    flags.map((flag) => {
      if (values === undefined) return `'${flag}[${quoted(description)}]'`;
      // The value of a long one may also stand behind a =.
      const typed = flag.startsWith('--') ? `${flag}=` : flag;
      return `'${typed}[${quoted(description)}]:${flag.replace(/^-+/, '')}:${action(name, values)}'`;
    }),
  );
}

function commandCase(name: string, { name: command, options, args }: CommandSpec): string {
  const places = args.map((values, i) => `'${i + 1}:${command}:${action(name, values)}'`);
  return `        ${command}) _arguments ${[...optionSpecs(name, options), ...places].join(' ')} ;;`;
}

/** Writes the script, for a file `_NAME` in a directory of $fpath. */
export function zshCompletion({ name, options, commands }: ProgramSpec): string {
  const id = `_${name.replaceAll('-', '_')}`;
  const described = commands.map((command) => `        '${command.name}:${quoted(command.description)}'`);
  return `#compdef ${name}
# Completion of ${name} for zsh.

${id}_names() {
  local -a names
  # After the command, or before it.
  local socket=\${opt_args[--socket]:-$_socket}
  names=(\${(f)"$(command ${name} names $1 "\${(Q)PREFIX}" \${socket:+--socket} \${(Q)socket} 2>/dev/null)"})
  if [[ $1 == paths ]]; then compadd -S '' -- $names; else compadd -- $names; fi
}

${id}() {
  local context state state_descr line _socket
  typeset -A opt_args
  # Options after the command are left to it.
  _arguments -C -A '-*' ${optionSpecs(name, options).join(' ')} '1:command:->command' '*::argument:->argument'
  _socket=\${opt_args[--socket]}
  case $state in
    command)
      local -a commands=(
${described.join('\n')}
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
${commands.map((command) => commandCase(name, command)).join('\n')}
      esac
      ;;
  esac
}

if [[ $funcstack[1] == ${id} ]]; then ${id} "$@"; else compdef ${id} ${name}; fi
`;
}
